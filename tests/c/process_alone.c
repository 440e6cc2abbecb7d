/* What a process that has no children and no threads is told about itself. */
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

/* Where time has 64 bits from the start there is no other form. */
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

int main(void)
{
	char name[16] = "";
	int status;
	cpu_set_t cpus;
	struct sysinfo info;
	uint32_t word = 7;

	CHECK_ERRNO(wait(&status), ECHILD);
	CHECK_ERRNO(waitpid(12345, &status, WNOHANG), ECHILD);
	CHECK_OK(prctl(PR_SET_NAME, "a-long-name-is-cut"));
	CHECK_OK(prctl(PR_GET_NAME, name));
	CHECK_STR(name, "a-long-name-is-");
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK_ERRNO(prctl(99999), EINVAL);
	CHECK_OK(sched_yield());
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_OTHER), 0);
	CHECK_ERRNO(sched_get_priority_max(77), EINVAL);
	CHECK_OK(sched_getaffinity(0, sizeof cpus, &cpus));
	CHECK(CPU_COUNT(&cpus) >= 1);
	CHECK_OK(sched_getcpu());
	CHECK_OK(sysinfo(&info));
	CHECK(info.totalram > 0 && info.uptime >= 0 && info.mem_unit > 0);
	CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAKE, 10), 0);
	CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 8, NULL), EAGAIN);
	CHECK_ERRNO(syscall(SYS_futex, &word, 99, 0), ENOSYS);
	sigset_t set;
	struct timespec little = { 0, 1000000 };
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	struct sigaction act = { .sa_handler = SIG_IGN }, old;
	CHECK_OK(sigaction(SIGUSR2, &act, NULL));
	CHECK_OK(sigaction(SIGUSR2, NULL, &old));
	CHECK(old.sa_handler == SIG_IGN);
	CHECK_OK(nanosleep(&little, NULL));
	return check_done();
}
