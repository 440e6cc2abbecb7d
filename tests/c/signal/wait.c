/* sigwait, sigwaitinfo, sigtimedwait: what they take, limits, interruption by others. */
#include <pthread.h>
#include <sys/time.h>
#include "process.h"

static volatile int calls;

static void on_signal(int signo)
{
	(void)signo;
	calls++;
}

static void *sends(void *argument)
{
	usleep(3000);
	pthread_kill(*(pthread_t *)argument, SIGUSR1);
	usleep(3000);
	kill(getpid(), SIGUSR2);
	return NULL;
}

int main(void)
{
	sigset_t set;
	siginfo_t info;
	struct timespec zero = { 0, 0 }, little = { 0, 10000000 }, bad = { 0, -1 }, longer = { 100, 0 };
	int signo;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(handle(SIGUSR1, on_signal, 0));
	CHECK_ERRNO(sigtimedwait(&set, &info, &zero), EAGAIN);
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	CHECK_ERRNO(sigtimedwait(&set, &info, &little), EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 10000000);
	CHECK_ERRNO(sigtimedwait(&set, &info, &bad), EINVAL);
	CHECK_OK(raise(SIGUSR2));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(sigwait(&set, &signo), 0);
	CHECK_EQ(signo, SIGUSR1);
	CHECK_EQ(sigtimedwait(&set, NULL, &zero), SIGUSR2);
	CHECK_EQ(calls, 0);
	/* From elsewhere while waiting; another handler's run ends it with EINTR. */
	pthread_t thread, self = pthread_self();
	CHECK_EQ(pthread_create(&thread, NULL, sends, &self), 0);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	/* The C library makes one of tgkill and kill. */
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(sigtimedwait(&set, &info, &longer), SIGUSR2);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } }, off = { { 0, 0 }, { 0, 0 } };
	CHECK_OK(handle(SIGALRM, on_signal, SA_RESTART));
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	CHECK_ERRNO(sigwaitinfo(&set, &info), EINTR);
	CHECK_ERRNO(sigtimedwait(&set, &info, &longer), EINTR);
	CHECK(calls >= 2);
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
	CHECK_ERRNO(sigwaitinfo((sigset_t *)16, &info), EFAULT);
	return check_done();
}
