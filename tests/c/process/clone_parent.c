/* CLONE_PARENT: the child is a sibling, its end is the common parent's business. */
#include "clone.h"

static int its_parent(void *argument)
{
	return getppid() == *(pid_t *)argument ? 61 : 1;
}

int main(void)
{
	pid_t self = getpid(), sibling;
	int ends[2];
	CHECK_OK(pipe(ends));
	pid_t pid = start();
	if (pid == 0) {
		int made = clone_with(CLONE_PARENT | SIGCHLD, its_parent, &self);
		CHECK(made > 0);
		CHECK_ERRNO(waitpid(made, NULL, 0), ECHILD);
		CHECK_EQ(write(ends[1], &made, sizeof made), sizeof made);
		finish();
	}
	CHECK_EQ(read(ends[0], &sibling, sizeof sibling), sizeof sibling);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(ended(sibling), 61);
	CHECK_ERRNO(wait(NULL), ECHILD);
	return check_done();
}
