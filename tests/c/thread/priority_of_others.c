/* Nice values, policies, masks, limits and groups of other processes and threads. */
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "process.h"

static struct gate ready, go;
static volatile pid_t tid;

static void *thread(void *argument)
{
	tid = gettid();
	gate_open(&ready);
	gate_wait(&go);
	return argument;
}

static int nice_of(int which, id_t who)
{
	errno = 0;
	int nice = getpriority(which, who);
	return errno ? -errno - 100 : nice;
}

int main(void)
{
	pthread_t one;
	cpu_set_t cpus, single;
	struct sched_param param = { 0 };
	void *head;
	size_t size;
	ready = gate();
	go = gate();
	if (geteuid() == 0)
		CHECK_OK(setuid(54324));
	CHECK_EQ(pthread_create(&one, NULL, thread, NULL), 0);
	gate_wait(&ready);
	/* Threads have values of their own. */
	int base = nice_of(PRIO_PROCESS, 0);
	CHECK_OK(setpriority(PRIO_PROCESS, (id_t)tid, base + 2));
	CHECK_EQ(nice_of(PRIO_PROCESS, (id_t)tid), base + 2);
	CHECK_EQ(nice_of(PRIO_PROCESS, 0), base);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, (id_t)tid, base + 1), EACCES);
	CHECK_OK(sched_setscheduler(tid, SCHED_BATCH, &param));
	CHECK_EQ(sched_getscheduler(tid), SCHED_BATCH);
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_OK(sched_getaffinity(0, sizeof cpus, &cpus));
	int cpu = 0;
	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	CPU_ZERO(&single);
	CPU_SET(cpu, &single);
	CHECK_OK(sched_setaffinity(tid, sizeof single, &single));
	CHECK_OK(sched_getaffinity(tid, sizeof single, &single));
	CHECK_EQ(CPU_COUNT(&single), 1);
	CHECK_OK(sched_getaffinity(0, sizeof single, &single));
	CHECK(CPU_EQUAL(&single, &cpus));
	CHECK_OK(sched_getparam(tid, &param));
	CHECK_OK(syscall(SYS_get_robust_list, tid, &head, &size));
	CHECK(head != NULL);
	CHECK_EQ(getpgid(tid), getpgrp());
	CHECK_EQ(getsid(tid), getsid(0));
	CHECK_ERRNO(setpgid(tid, 0), EINVAL);
	gate_open(&go);
	pthread_join(one, NULL);

	/* Of a child; of its group; what it has inherited. */
	CHECK_OK(setpriority(PRIO_PROCESS, 0, base + 1));
	pid_t pid = start();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	CHECK_OK(setpgid(pid, pid));
	CHECK_EQ(nice_of(PRIO_PROCESS, (id_t)pid), base + 1);
	CHECK_OK(setpriority(PRIO_PROCESS, (id_t)pid, base + 2));
	CHECK_EQ(nice_of(PRIO_PROCESS, (id_t)pid), base + 2);
	CHECK_EQ(nice_of(PRIO_PGRP, (id_t)pid), base + 2);
	CHECK_OK(setpriority(PRIO_PGRP, (id_t)pid, base + 3));
	CHECK_EQ(nice_of(PRIO_PROCESS, (id_t)pid), base + 3);
	CHECK_EQ(nice_of(PRIO_PROCESS, 0), base + 1);
	CHECK_OK(sched_setscheduler(pid, SCHED_IDLE, &param));
	CHECK_ERRNO(sched_setscheduler(pid, SCHED_OTHER, &param), EPERM);
	CHECK_ERRNO(sched_setscheduler(pid, SCHED_FIFO, &(struct sched_param){ 5 }), EPERM);
	struct rlimit limit;
	CHECK_OK(prlimit(pid, RLIMIT_NOFILE, &(struct rlimit){ 44, 55 }, NULL));
	CHECK_OK(prlimit(pid, RLIMIT_NOFILE, NULL, &limit));
	CHECK_EQ(limit.rlim_cur, 44);
	CHECK_EQ(limit.rlim_max, 55);
	CHECK_ERRNO(prlimit(pid, RLIMIT_NOFILE, &(struct rlimit){ 44, 56 }, NULL), EPERM);
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	CHECK(limit.rlim_cur > 44);
	clockid_t clock;
	struct timespec used;
	CHECK_EQ(clock_getcpuclockid(pid, &clock), 0);
	CHECK_OK(clock_gettime(clock, &used));
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ended(pid), 128 + SIGKILL);
	CHECK_EQ(nice_of(PRIO_PROCESS, (id_t)pid), -ESRCH - 100);
	CHECK_ERRNO(setpriority(PRIO_PGRP, (id_t)pid, 9), ESRCH);
	CHECK_ERRNO(sched_getscheduler(pid), ESRCH);
	CHECK_ERRNO(sched_setaffinity(pid, sizeof cpus, &cpus), ESRCH);
	CHECK_ERRNO(sched_getparam(-1, &param), EINVAL);
	CHECK_ERRNO(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), ESRCH);
	CHECK_ERRNO(getpgid(pid), ESRCH);
	CHECK_ERRNO(getpriority(9, 0), EINVAL);

	/* SCHED_RESET_ON_FORK. */
	CHECK_OK(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &param));
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK);
	pid = start();
	if (pid == 0)
		_exit(sched_getscheduler(0));
	CHECK_EQ(ended(pid), SCHED_BATCH);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_BATCH, &param), EPERM);
	return check_done();
}
