/* CLONE_CLEAR_SIGHAND: the child has no handlers, but still ignores what its parent ignores. */
#include <linux/sched.h>
#include <sys/syscall.h>
#include "../process.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

static void nothing(int signo)
{
	(void)signo;
}

static void (*handler(int signo))(int)
{
	struct sigaction action;
	sigaction(signo, NULL, &action);
	return action.sa_handler;
}

int main(void)
{
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	handle(SIGUSR1, nothing, SA_RESTART);
	handle(SIGUSR2, SIG_IGN, 0);

	fflush(stdout);
	long pid = syscall(SYS_clone3, &args, sizeof args);
	CHECK_OK(pid);
	if (pid == 0) {
		CHECK(handler(SIGUSR1) == SIG_DFL);
		CHECK(handler(SIGUSR2) == SIG_IGN);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK(handler(SIGUSR1) == nothing);

	args.flags |= 0x800 | 0x100; /* CLONE_SIGHAND, CLONE_VM */
	CHECK_ERRNO(syscall(SYS_clone3, &args, sizeof args), EINVAL);
	return check_done();
}
