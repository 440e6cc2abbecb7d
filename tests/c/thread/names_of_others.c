/* Other threads' names, clocks and affinity. */
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "process.h"

static struct gate go, ready;
static volatile pid_t tid;

static void *thread(void *argument)
{
	char name[16];
	tid = (pid_t)syscall(SYS_gettid);
	CHECK_EQ(gettid(), tid);
	CHECK_EQ(pthread_getname_np(pthread_self(), name, sizeof name), 0);
	CHECK_STR(name, "main's name");
	CHECK_OK(prctl(PR_SET_NAME, "by prctl"));
	gate_open(&ready);
	gate_wait(&go);
	CHECK_OK(prctl(PR_GET_NAME, name));
	CHECK_STR(name, "from outside");
	return argument;
}

int main(void)
{
	pthread_t one;
	char name[16];
	cpu_set_t cpus;
	clockid_t clock;
	struct timespec used;
	go = gate();
	ready = gate();
	CHECK_EQ(getpid(), gettid());
	CHECK_EQ(pthread_setname_np(pthread_self(), "main's name"), 0);
	CHECK_EQ(pthread_setname_np(pthread_self(), "sixteen bytes at"), ERANGE);
	CHECK_EQ(pthread_create(&one, NULL, thread, NULL), 0);
	gate_wait(&ready);
	CHECK(tid != getpid());
	CHECK_EQ(pthread_getname_np(one, name, sizeof name), 0);
	CHECK_STR(name, "by prctl");
	CHECK_EQ(pthread_setname_np(one, "from outside"), 0);
	CHECK_EQ(pthread_getname_np(one, name, 3), ERANGE);
	CHECK_EQ(pthread_getaffinity_np(one, sizeof cpus, &cpus), 0);
	CHECK(CPU_COUNT(&cpus) >= 1);
	CHECK_EQ(pthread_setaffinity_np(one, sizeof cpus, &cpus), 0);
	CHECK_EQ(pthread_getcpuclockid(one, &clock), 0);
	CHECK_OK(clock_gettime(clock, &used));
	CHECK(used.tv_sec < 5);
	CHECK_EQ(getpgid(tid), getpgrp());
	gate_open(&go);
	CHECK_EQ(pthread_join(one, NULL), 0);
	/* It is joined a little before it is gone. */
	while (syscall(SYS_tgkill, getpid(), tid, 0) == 0)
		usleep(100);
	CHECK_EQ(errno, ESRCH);
	CHECK_EQ(pthread_getname_np(pthread_self(), name, sizeof name), 0);
	CHECK_STR(name, "main's name");
	return check_done();
}
