/* Signals across an exec: handlers go, ignored stays, mask and pending stay; alternate stack and timers of timer_create go. */
#include <sys/time.h>
#include "process.h"

static void handler(int signo)
{
	(void)signo;
}

static int image(void)
{
	struct sigaction action;
	stack_t stack;
	struct itimerval timer;
	CHECK_OK(sigaction(SIGUSR1, NULL, &action));
	CHECK(action.sa_handler == SIG_DFL);
	CHECK_EQ(action.sa_flags & (SA_NODEFER | SA_RESETHAND | SA_ONSTACK), 0);
	CHECK_OK(sigaction(SIGUSR2, NULL, &action));
	CHECK(action.sa_handler == SIG_IGN);
	CHECK_OK(sigaction(SIGCHLD, NULL, &action));
	CHECK(action.sa_handler == SIG_IGN);
	CHECK_OK(sigaction(SIGTERM, NULL, &action));
	CHECK(action.sa_handler == SIG_DFL);
	CHECK(is_blocked(SIGTERM) && is_blocked(SIGHUP) && is_blocked(SIGRTMIN));
	CHECK(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
	CHECK(is_pending(SIGTERM) && is_pending(SIGRTMIN) && !is_pending(SIGHUP));
	CHECK_OK(sigaltstack(NULL, &stack));
	CHECK(stack.ss_flags & SS_DISABLE);
	CHECK_OK(getitimer(ITIMER_REAL, &timer));
	CHECK(timer.it_value.tv_sec > 100);
	/* Two real-time signals were queued, in this order. */
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
		CHECK_EQ(info.si_code, SI_QUEUE);
		CHECK_EQ(info.si_pid, getpid());
		CHECK_EQ(info.si_value.sival_int, 70 + i);
	}
	CHECK(!is_pending(SIGRTMIN));
	timer_t never;
	CHECK_OK(timer_create(CLOCK_MONOTONIC, NULL, &never));
	fflush(stdout);
	if (check_failures)
		_exit(99);
	/* The pending one ends the image, as its handler is gone. */
	mask(SIG_UNBLOCK, SIGTERM);
	_exit(98);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return image();
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(handle(SIGUSR1, handler, SA_NODEFER | SA_ONSTACK | SA_RESTART));
		CHECK_OK(handle(SIGTERM, handler, 0));
		CHECK(signal(SIGUSR2, SIG_IGN) != SIG_ERR && signal(SIGCHLD, SIG_IGN) != SIG_ERR);
		mask(SIG_BLOCK, SIGTERM);
		mask(SIG_BLOCK, SIGHUP);
		mask(SIG_BLOCK, SIGRTMIN);
		CHECK_OK(raise(SIGTERM));
		for (int i = 0; i < 2; i++)
			CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 70 + i }));
		stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };
		CHECK_OK(sigaltstack(&stack, NULL));
		struct itimerval timer = { { 0, 0 }, { 1000, 0 } };
		CHECK_OK(setitimer(ITIMER_REAL, &timer, NULL));
		timer_t posix;
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
		CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &posix));
		struct itimerspec soon = { { 0, 0 }, { 0, 50000000 } };
		CHECK_OK(timer_settime(posix, 0, &soon, NULL));
		if (check_failures == 0)
			execl(argv[0], argv[0], "image", (char *)NULL);
		_exit(97);
	}
	CHECK_EQ(ended(pid), 128 + SIGTERM);
	return check_done();
}
