/* Flags of clone that do not go together, and nothing is left behind by a refused call. */
#include "clone.h"

static int never(void *argument)
{
	(void)argument;
	_exit(1);
}

int main(void)
{
	CHECK_ERRNO(clone_with(CLONE_SIGHAND | SIGCHLD, never, NULL), EINVAL);
	CHECK_ERRNO(clone_with(CLONE_THREAD | SIGCHLD, never, NULL), EINVAL);
	CHECK_ERRNO(clone_with(CLONE_THREAD | CLONE_VM, never, NULL), EINVAL);
	CHECK_ERRNO(clone_with(CLONE_THREAD | CLONE_SIGHAND, never, NULL), EINVAL);
	CHECK_ERRNO(clone_with(CLONE_FS | CLONE_NEWNS | SIGCHLD, never, NULL), EINVAL);
	CHECK_ERRNO(clone_with(CLONE_NEWUSER | CLONE_FS | SIGCHLD, never, NULL), EINVAL);
	CHECK_ERRNO(clone_with(CLONE_NEWPID | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, never, NULL), EINVAL);
	CHECK_ERRNO(clone_with(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, never, NULL), EINVAL);
	CHECK_ERRNO(clone(never, NULL, SIGCHLD, NULL), EINVAL);
	CHECK_ERRNO(clone(NULL, &(char[64]){ 0 }[32], SIGCHLD, NULL), EINVAL);
	CHECK_ERRNO(unshare(CLONE_CHILD_SETTID), EINVAL);
	CHECK_OK(unshare(0));
	CHECK_ERRNO(wait(NULL), ECHILD);
	return check_done();
}
