/* Clocks of processor time: of this process, of its threads and of others; sleeping by them. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include "process.h"

#ifdef SYS_clock_nanosleep_time64
#define SLEEP SYS_clock_nanosleep_time64
#else
#define SLEEP SYS_clock_nanosleep
#endif

static atomic_int done;

static void *spins(void *argument)
{
	while (!done)
		;
	return argument;
}

static long long ns(clockid_t clock)
{
	struct timespec t = { 0, 0 };
	CHECK_OK(clock_gettime(clock, &t));
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void on_alarm(int number)
{
	(void)number;
}

int main(void)
{
	const struct timespec ten = { 0, 10000000 }, bad = { 0, 1000000000 };
	struct timespec left = { 0, 0 };
	clockid_t clock, of_child, of_thread;
	pthread_t thread;

	CHECK_EQ(clock_getcpuclockid(0, &clock), 0);
	CHECK_EQ(clock_nanosleep(clock, 0, &bad, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ten, NULL), EINVAL);
	CHECK_ERRNO(syscall(SLEEP, CLOCK_THREAD_CPUTIME_ID, 0, &ten, NULL), EOPNOTSUPP);
	CHECK_EQ(pthread_getcpuclockid(pthread_self(), &of_thread), 0);
	CHECK_ERRNO(syscall(SLEEP, of_thread, 0, &ten, NULL), EINVAL);
	CHECK_ERRNO(syscall(SLEEP, (~999999 << 3) | 2, 0, &ten, NULL), EINVAL);

	/* Another thread uses the time. */
	CHECK_EQ(pthread_create(&thread, NULL, spins, NULL), 0);
	long long before = ns(CLOCK_PROCESS_CPUTIME_ID);
	CHECK_EQ(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ten, NULL), 0);
	CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - before >= 10000000);
	CHECK_EQ(pthread_getcpuclockid(thread, &of_thread), 0);
	before = ns(of_thread);
	CHECK_EQ(clock_nanosleep(of_thread, 0, &ten, NULL), 0);
	CHECK(ns(of_thread) - before >= 10000000);
	before = ns(of_thread) + 5000000;
	struct timespec at = { before / 1000000000, before % 1000000000 };
	CHECK_EQ(clock_nanosleep(of_thread, TIMER_ABSTIME, &at, NULL), 0);
	CHECK(ns(of_thread) >= before);
	CHECK_EQ(clock_nanosleep(of_thread, TIMER_ABSTIME, &at, NULL), 0);
	done = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);

	/* Nobody does: only a handler ends the sleep. */
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval soon = { .it_value = { 0, 50000 } };
	const struct timespec hour = { 3600, 0 };
	CHECK_OK(sigaction(SIGALRM, &action, NULL));
	CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
	CHECK_EQ(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &hour, &left), EINTR);
	CHECK(left.tv_sec == 3599 || left.tv_sec == 3600);

	/* Another process. */
	done = 0;
	pid_t pid = start();
	if (pid == 0)
		spins(NULL);
	CHECK_EQ(clock_getcpuclockid(pid, &of_child), 0);
	CHECK_OK(clock_getres(of_child, &left));
	before = ns(of_child);
	CHECK_EQ(clock_nanosleep(of_child, 0, &ten, NULL), 0);
	CHECK(ns(of_child) - before >= 10000000);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ended(pid), 128 + SIGKILL);
	CHECK_EQ(clock_getcpuclockid(pid, &of_child), ESRCH);
	return check_done();
}
