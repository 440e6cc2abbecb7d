/* Strict mode of seccomp(2): read, write, _exit and sigreturn, nothing else.
 *
 * @opt -O0 -O2
 */
#include "filter.h"

static int ends[2];

static void enter(void)
{
	CHECK_OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
}

static void allowed(void)
{
	char byte = 'a';
	enter();
	for (int i = 0; i < 3; i++)
		if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
			syscall(SYS_exit, 1);
	syscall(SYS_exit, 23);
}

static void other_call(void)
{
	enter();
	syscall(SYS_getppid);
	syscall(SYS_exit, 1);
}

static void exit_of_all(void)
{
	enter();
	syscall(SYS_exit_group, 0);
}

static void unknown_call(void)
{
	enter();
	syscall(4000);
	syscall(SYS_exit, 1);
}

static void by_its_own_call(void)
{
	CHECK_OK(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL));
	syscall(SYS_close, 0);
	syscall(SYS_exit, 1);
}

/* Children are not less confined than their parents, which cannot make any. */
static void fork_is_none(void)
{
	enter();
	fork();
	syscall(SYS_exit, 1);
}

int main(void)
{
	/* Who has a filter, as containers give one to all in them, cannot go over to strict mode. */
	if (!is_usable() || status("Seccomp") != 0)
		return check_done();
	CHECK_OK(pipe(ends));
	CHECK_EQ(in_child(allowed), 23);
	CHECK_EQ(in_child(other_call), 128 + SIGKILL);
	CHECK_EQ(in_child(exit_of_all), 128 + SIGKILL);
	CHECK_EQ(in_child(unknown_call), 128 + SIGKILL);
	CHECK_EQ(in_child(by_its_own_call), 128 + SIGKILL);
	CHECK_EQ(in_child(fork_is_none), 128 + SIGKILL);
	return check_done();
}
