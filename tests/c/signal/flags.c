/* Flags of sigaction: SA_SIGINFO, SA_NODEFER, SA_RESETHAND, sa_mask; what sigaction gives back; errors. */
#include "process.h"

static volatile int depth, deepest, runs;
static siginfo_t seen;
static volatile int blocked_inside;

static void recurses(int signo)
{
	depth++;
	runs++;
	if (depth > deepest)
		deepest = depth;
	if (runs < 4)
		raise(signo);
	depth--;
}

static void looks(int signo, siginfo_t *info, void *context)
{
	memcpy(&seen, info, sizeof seen);
	blocked_inside = is_blocked(signo) | is_blocked(SIGUSR2) << 1 | is_blocked(SIGTERM) << 2;
	CHECK(context != NULL);
}

static void plain(int signo)
{
	(void)signo;
	runs++;
}

int main(void)
{
	struct sigaction action = { .sa_handler = recurses }, old;
	/* Without SA_NODEFER the second one waits for the first to return; pending once, it runs once. */
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(deepest, 1);
	CHECK_EQ(runs, 4);
	runs = deepest = 0;
	action.sa_flags = SA_NODEFER;
	CHECK_OK(sigaction(SIGUSR1, &action, &old));
	CHECK(old.sa_handler == recurses);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(deepest, 4);
	CHECK_EQ(runs, 4);
	CHECK(!is_blocked(SIGUSR1));

	action.sa_flags = SA_RESETHAND;
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	runs = 3;
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(runs, 4);
	CHECK_OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == SIG_DFL);
	CHECK_EQ(old.sa_flags & SA_RESETHAND, SA_RESETHAND);

	action = (struct sigaction){ .sa_sigaction = looks, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP };
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaddset(&action.sa_mask, SIGKILL);
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(seen.si_signo, SIGUSR1);
	CHECK_EQ(seen.si_code, SI_USER);
	CHECK_EQ(seen.si_pid, getpid());
	CHECK_EQ(seen.si_uid, getuid());
	CHECK_EQ(seen.si_errno, 0);
	CHECK_EQ(blocked_inside, 3);
	CHECK(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(seen.si_code, SI_TKILL);
	CHECK_EQ(seen.si_pid, getpid());
	CHECK_OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_sigaction == looks);
	CHECK_EQ(old.sa_flags & (SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP | SA_NODEFER | SA_RESETHAND | SA_ONSTACK),
		 SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP);
	CHECK_EQ(sigismember(&old.sa_mask, SIGUSR2), 1);
	CHECK_EQ(sigismember(&old.sa_mask, SIGKILL), 0);

	CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
	CHECK_OK(sigaction(SIGKILL, NULL, &old));
	CHECK(old.sa_handler == SIG_DFL);
	CHECK_ERRNO(sigaction(0, NULL, &old), EINVAL);
	CHECK_ERRNO(sigaction(65, NULL, &old), EINVAL);
	CHECK_ERRNO(sigaction(-1, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGRTMIN - 1, &action, NULL), EINVAL);

	/* signal(3): BSD's, with SA_RESTART; sysv_signal: once, not deferred. */
	CHECK(signal(SIGUSR2, plain) == SIG_DFL);
	CHECK_OK(sigaction(SIGUSR2, NULL, &old));
	CHECK_EQ(old.sa_flags & (SA_RESTART | SA_RESETHAND | SA_NODEFER), SA_RESTART);
	CHECK(signal(SIGUSR2, SIG_IGN) == plain);
	CHECK(signal(SIGUSR2, plain) == SIG_IGN);
	CHECK(sysv_signal(SIGUSR2, plain) == plain);
	CHECK_OK(raise(SIGUSR2));
	CHECK(signal(SIGUSR2, SIG_DFL) == SIG_DFL);
	CHECK(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
	CHECK_OK(siginterrupt(SIGUSR1, 1));
	CHECK_OK(sigaction(SIGUSR1, NULL, &old));
	CHECK_EQ(old.sa_flags & SA_RESTART, 0);
	/* Setting to ignored drops what is pending. */
	mask(SIG_BLOCK, SIGUSR2);
	CHECK_OK(raise(SIGUSR2));
	CHECK(is_pending(SIGUSR2));
	CHECK(signal(SIGUSR2, SIG_IGN) == SIG_DFL);
	CHECK(!is_pending(SIGUSR2));
	return check_done();
}
