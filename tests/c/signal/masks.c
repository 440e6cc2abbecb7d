/* Blocking, pending, sigsuspend; signals wait and come at the moment they are unblocked, before the call returns. */
#include "process.h"

static char order[32];

static void note(int signo)
{
	size_t at = strlen(order);
	order[at] = signo == SIGUSR1 ? '1' : signo == SIGUSR2 ? '2' : signo == SIGTERM ? 't' : 'x';
	order[at + 1] = 0;
}

static void blocks_one(int signo)
{
	note(signo);
	/* Changes of the mask inside a handler end with it. */
	mask(SIG_BLOCK, SIGTERM);
	mask(SIG_UNBLOCK, signo);
	CHECK(is_blocked(SIGTERM) && !is_blocked(signo));
}

int main(void)
{
	sigset_t set, old, none;
	CHECK_OK(handle(SIGUSR1, note, 0));
	CHECK_OK(handle(SIGUSR2, note, 0));
	CHECK_OK(handle(SIGTERM, note, 0));
	sigemptyset(&none);
	sigfillset(&set);
	CHECK_OK(sigprocmask(SIG_SETMASK, &set, &old));
	CHECK_EQ(sigismember(&old, SIGUSR1), 0);
	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &old));
	/* Two cannot be blocked. */
	CHECK(!sigismember(&old, SIGKILL) && !sigismember(&old, SIGSTOP));
	CHECK(sigismember(&old, SIGSEGV) && sigismember(&old, SIGRTMAX));
	for (int i = 0; i < 3; i++) {
		CHECK_OK(raise(SIGUSR1));
		CHECK_OK(raise(SIGUSR2));
		CHECK_OK(kill(getpid(), SIGTERM));
	}
	CHECK_STR(order, "");
	CHECK(is_pending(SIGUSR1) && is_pending(SIGUSR2) && is_pending(SIGTERM) && !is_pending(SIGHUP));
	mask(SIG_UNBLOCK, SIGUSR2);
	CHECK_STR(order, "2");
	CHECK(!is_pending(SIGUSR2));
	mask(SIG_UNBLOCK, SIGUSR1);
	CHECK_STR(order, "21");

	/* sigsuspend lets them in for its time only. */
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_STR(order, "21t");
	CHECK(is_blocked(SIGTERM));
	/* One that is pending and let in by sigsuspend beside others that stay out. */
	CHECK_OK(kill(getpid(), SIGTERM));
	mask(SIG_BLOCK, SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	sigfillset(&set);
	sigdelset(&set, SIGUSR1);
	CHECK_ERRNO(sigsuspend(&set), EINTR);
	CHECK_STR(order, "21t1");
	CHECK(is_pending(SIGTERM));
	mask(SIG_UNBLOCK, SIGTERM);
	CHECK_STR(order, "21t1t");

	CHECK_OK(handle(SIGHUP, blocks_one, 0));
	CHECK_OK(sigprocmask(SIG_SETMASK, &none, NULL));
	CHECK_OK(raise(SIGHUP));
	CHECK(!is_blocked(SIGTERM) && !is_blocked(SIGHUP));
	CHECK_STR(order, "21t1tx");

	CHECK_ERRNO(sigprocmask(77, &set, NULL), EINVAL);
	CHECK_OK(sigprocmask(77, NULL, &old));
	CHECK_ERRNO(sigsuspend((sigset_t *)16), EFAULT);
	CHECK_ERRNO(sigaddset(&set, 0), EINVAL);
	CHECK_ERRNO(sigaddset(&set, 65), EINVAL);
	CHECK_ERRNO(sigismember(&set, -1), EINVAL);
	/* The old calls on top. */
	CHECK_OK(sighold(SIGUSR1));
	CHECK(is_blocked(SIGUSR1));
	CHECK_OK(sigrelse(SIGUSR1));
	CHECK(!is_blocked(SIGUSR1));
	CHECK(sigset(SIGUSR1, SIG_HOLD) == note);
	CHECK(is_blocked(SIGUSR1));
	CHECK(sigset(SIGUSR1, note) == SIG_HOLD);
	CHECK(!is_blocked(SIGUSR1));
	return check_done();
}
