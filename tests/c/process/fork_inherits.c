/* What a child inherits and what it does not.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 * @in scratch
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include "process.h"

static volatile int calls;

static void on_signal(int signo)
{
	(void)signo;
	calls++;
}

int main(void)
{
	struct rlimit limit;
	struct itimerval timer = { { 100, 0 }, { 100, 0 } };
	struct sigaction now;
	char place[4096], other[4096];
	int file = open("file", O_RDWR | O_CREAT, 0644);
	pid_t self = getpid(), group = getpgrp(), session = getsid(0);

	umask(031);
	CHECK_OK(mkdir("sub", 0755));
	CHECK_OK(chdir("sub"));
	CHECK(getcwd(place, sizeof place) != NULL);
	CHECK_OK(setenv("NAME", "value", 1));
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = 200;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_OK(handle(SIGUSR1, on_signal, 0));
	CHECK(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
	mask(SIG_BLOCK, SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	CHECK(is_pending(SIGUSR1));
	CHECK_OK(setitimer(ITIMER_REAL, &timer, NULL));
	CHECK_OK(fcntl(file, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }));
	CHECK_OK(nice(3));
	int niceness = getpriority(PRIO_PROCESS, 0);

	pid_t pid = start();
	if (pid == 0) {
		CHECK_EQ(getppid(), self);
		CHECK_EQ(getpgrp(), group);
		CHECK_EQ(getsid(0), session);
		CHECK_EQ(umask(0), 031);
		CHECK_STR(getcwd(other, sizeof other), place);
		CHECK_STR(getenv("NAME"), "value");
		CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
		CHECK_EQ(limit.rlim_cur, 200);
		CHECK_EQ(getpriority(PRIO_PROCESS, 0), niceness);
		/* Dispositions and mask: yes. Pending signals, timers, record locks, times: no. */
		CHECK_OK(sigaction(SIGUSR1, NULL, &now));
		CHECK(now.sa_handler == on_signal);
		CHECK_OK(sigaction(SIGUSR2, NULL, &now));
		CHECK(now.sa_handler == SIG_IGN);
		CHECK(is_blocked(SIGUSR1));
		CHECK(!is_pending(SIGUSR1));
		CHECK_OK(getitimer(ITIMER_REAL, &timer));
		CHECK_EQ(timer.it_value.tv_sec, 0);
		CHECK_EQ(alarm(0), 0);
		CHECK_ERRNO(fcntl(file, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }), EAGAIN);
		struct flock found = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		CHECK_OK(fcntl(file, F_GETLK, &found));
		CHECK_EQ(found.l_pid, self);
		struct rusage usage;
		CHECK_OK(getrusage(RUSAGE_CHILDREN, &usage));
		CHECK_EQ(usage.ru_utime.tv_sec, 0);
		/* Closing the file here does not drop the parent's lock. */
		CHECK_OK(close(file));
		CHECK_OK(chdir(".."));
		CHECK_OK(unsetenv("NAME"));
		CHECK(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
		mask(SIG_UNBLOCK, SIGUSR1);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	/* Nothing of that came back. */
	CHECK_STR(getcwd(other, sizeof other), place);
	CHECK_STR(getenv("NAME"), "value");
	CHECK_EQ(umask(0), 031);
	CHECK_OK(getitimer(ITIMER_REAL, &timer));
	CHECK(timer.it_value.tv_sec > 50);
	CHECK(is_blocked(SIGUSR1) && is_pending(SIGUSR1));
	pid = start();
	if (pid == 0) {
		struct flock found = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
		CHECK_OK(fcntl(file, F_GETLK, &found));
		CHECK_EQ(found.l_pid, self);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	mask(SIG_UNBLOCK, SIGUSR1);
	CHECK_EQ(calls, 1);
	return check_done();
}
