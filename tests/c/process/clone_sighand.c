/* CLONE_SIGHAND: one table of dispositions, with CLONE_VM only; masks stay each one's own. */
#include "clone.h"

static volatile int calls;

static void on_signal(int signo)
{
	(void)signo;
	calls++;
}

static int installs(void *argument)
{
	(void)argument;
	mask(SIG_BLOCK, SIGUSR2);
	return handle(SIGUSR1, on_signal, 0) != 0;
}

int main(void)
{
	struct sigaction now;
	CHECK_EQ(ended(clone_with(CLONE_VM | SIGCHLD, installs, NULL)), 0);
	CHECK_OK(sigaction(SIGUSR1, NULL, &now));
	CHECK(now.sa_handler == SIG_DFL);

	CHECK_EQ(ended(clone_with(CLONE_VM | CLONE_SIGHAND | SIGCHLD, installs, NULL)), 0);
	CHECK_OK(sigaction(SIGUSR1, NULL, &now));
	CHECK(now.sa_handler == on_signal);
	CHECK(!is_blocked(SIGUSR2));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(calls, 1);
	return check_done();
}
