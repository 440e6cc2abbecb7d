/* clone3 by its number: like fork without a stack; arguments that do not fit are refused. */
#include <linux/sched.h>
#include <sys/syscall.h>
#include "process.h"

static long clone3(struct clone_args *args, size_t size)
{
	fflush(stdout);
	return syscall(SYS_clone3, args, size);
}

int main(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	volatile double x = 2.5;
	long pid = clone3(&args, sizeof args);
	if (pid == 0)
		_exit(x == 2.5 ? 21 : 1);
	CHECK(pid > 0);
	CHECK_EQ(ended(pid), 21);

	/* The first version of the structure is as good; a longer one must be zero at its end. */
	pid = clone3(&args, CLONE_ARGS_SIZE_VER0);
	if (pid == 0)
		_exit(22);
	CHECK_EQ(ended(pid), 22);
	struct {
		struct clone_args args;
		unsigned char more[64];
	} longer = { .args = args };
	pid = clone3(&longer.args, sizeof longer);
	if (pid == 0)
		_exit(23);
	CHECK_EQ(ended(pid), 23);
	longer.more[9] = 1;
	CHECK_ERRNO(clone3(&longer.args, sizeof longer), E2BIG);
	CHECK_ERRNO(clone3(&args, CLONE_ARGS_SIZE_VER0 - 1), EINVAL);
	CHECK_ERRNO(clone3(&args, 5000), E2BIG);
	CHECK_ERRNO(clone3((struct clone_args *)16, sizeof args), EFAULT);

	pid_t word = 0;
	args = (struct clone_args){ .flags = CLONE_PARENT_SETTID, .parent_tid = (__u64)(unsigned long)&word, .exit_signal = SIGCHLD };
	pid = clone3(&args, sizeof args);
	if (pid == 0)
		_exit(24);
	CHECK_EQ(word, pid);
	CHECK_EQ(ended(pid), 24);

	/* A signal does not belong into the flags, a stack needs a size, an exit signal is a signal. */
	args = (struct clone_args){ .flags = SIGCHLD };
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args = (struct clone_args){ .exit_signal = 100 };
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args = (struct clone_args){ .exit_signal = SIGCHLD, .stack_size = 4096 };
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args = (struct clone_args){ .exit_signal = SIGCHLD, .stack = 4096 };
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args = (struct clone_args){ .flags = CLONE_SIGHAND, .exit_signal = SIGCHLD };
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args = (struct clone_args){ .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD };
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args = (struct clone_args){ .flags = 1ULL << 60, .exit_signal = SIGCHLD };
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	/* Ids of its own are as many as are said, and no more than there are namespaces. */
	pid_t ids[40] = { 0 };
	args = (struct clone_args){ .exit_signal = SIGCHLD, .set_tid = (__u64)(unsigned long)ids };
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args.set_tid_size = 40;
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args.set_tid_size = 1;
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args.set_tid = 0;
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	args.set_tid = 16;
	CHECK_ERRNO(clone3(&args, sizeof args), EFAULT);
	/* What the kernel does not look at without a flag. */
	args = (struct clone_args){ .exit_signal = SIGCHLD, .cgroup = 3 };
	pid = clone3(&args, sizeof args);
	if (pid == 0)
		_exit(26);
	CHECK_EQ(ended(pid), 26);
	args.flags = CLONE_INTO_CGROUP;
	args.cgroup = 1ULL << 40;
	CHECK_ERRNO(clone3(&args, sizeof args), EINVAL);
	CHECK_ERRNO(wait(NULL), ECHILD);

	/* The old call by its number. */
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(25);
	CHECK_EQ(ended(pid), 25);
	return check_done();
}
