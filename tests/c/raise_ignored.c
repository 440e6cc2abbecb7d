/* Signals that are ignored, by default or by choice, do nothing; blocked ones wait. */
#include <signal.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	sigset_t set, pending;
	CHECK_OK(raise(SIGCHLD));
	CHECK_OK(raise(SIGWINCH));
	CHECK_OK(raise(SIGURG));
	CHECK_OK(raise(SIGCONT));
	CHECK(signal(SIGTERM, SIG_IGN) == SIG_DFL);
	CHECK_OK(raise(SIGTERM));
	CHECK_OK(kill(getpid(), SIGTERM));
	CHECK(signal(SIGTERM, SIG_DFL) == SIG_IGN);
	CHECK_OK(kill(getpid(), 0));
	CHECK_ERRNO(kill(getpid(), 999), EINVAL);
	CHECK_ERRNO(sigaction(SIGKILL, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL), EINVAL);
	CHECK_ERRNO(sigaction(0, NULL, NULL), EINVAL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(sigpending(&pending));
	CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
	CHECK_EQ(sigismember(&pending, SIGUSR2), 0);
	CHECK(signal(SIGUSR1, SIG_IGN) == SIG_DFL);
	CHECK_OK(sigpending(&pending));
	CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
	CHECK_OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	return check_done();
}
