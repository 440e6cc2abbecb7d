/* CLONE_FILES: one table of descriptors, or a copy of it. */
#include <linux/close_range.h>
#include "clone.h"

static int fds[2];

static int closes(void *argument)
{
	(void)argument;
	if (close(fds[0]) != 0)
		return 1;
	int made = dup2(fds[1], 100);
	return made == 100 ? fcntl(fds[1], F_SETFD, FD_CLOEXEC) : 2;
}

/* With a table of its own the child changes nothing of the parent's. */
static int closes_alone(void *argument)
{
	if (argument == NULL) {
		if (unshare(CLONE_FILES) != 0 || close(fds[0]) != 0)
			return 1;
		return fcntl(fds[0], F_GETFD) == -1 && fcntl(fds[1], F_GETFD) == 0 ? 0 : 2;
	}
	if (close_range(fds[0], fds[1], CLOSE_RANGE_UNSHARE) != 0)
		return 3;
	return fcntl(fds[0], F_GETFD) == -1 && fcntl(fds[1], F_GETFD) == -1 ? 0 : 4;
}

int main(void)
{
	CHECK_OK(pipe(fds));
	CHECK_EQ(ended(clone_with(SIGCHLD, closes, NULL)), 0);
	CHECK_OK(fcntl(fds[0], F_GETFD));
	CHECK_EQ(fcntl(fds[1], F_GETFD), 0);
	CHECK_ERRNO(fcntl(100, F_GETFD), EBADF);

	CHECK_EQ(ended(clone_with(CLONE_FILES | SIGCHLD, closes, NULL)), 0);
	CHECK_ERRNO(fcntl(fds[0], F_GETFD), EBADF);
	CHECK_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	/* The end of the child closes nothing of the shared table. */
	CHECK_EQ(fcntl(100, F_GETFD), 0);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(100, "x", 1), EPIPE);

	/* unshare ends the sharing. */
	CHECK_OK(pipe(fds));
	CHECK_OK(close(100));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(unshare(CLONE_FILES));
		CHECK_OK(close(fds[0]));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(fcntl(fds[0], F_GETFD));
	CHECK_EQ(ended(clone_with(CLONE_FILES | SIGCHLD, closes_alone, NULL)), 0);
	CHECK_OK(fcntl(fds[0], F_GETFD));
	CHECK_EQ(ended(clone_with(CLONE_FILES | SIGCHLD, closes_alone, fds)), 0);
	CHECK_OK(fcntl(fds[0], F_GETFD));
	CHECK_OK(fcntl(fds[1], F_GETFD));
	return check_done();
}
