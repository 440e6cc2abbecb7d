/* vfork with exec and _exit: the parent waits until then, and memory is shared or copied but never lost. */
#include "process.h"

static volatile int touched;

int main(int argc, char **argv)
{
	if (argc > 1) {
		puts(argv[1]);
		return atoi(argv[2]);
	}
	fflush(stdout);
	for (int i = 0; i < 20; i++) {
		pid_t pid = vfork();
		if (pid == 0)
			_exit(i);
		CHECK(pid > 0);
		CHECK_EQ(ended(pid), i);
	}
	pid_t pid = vfork();
	if (pid == 0) {
		execl(argv[0], argv[0], "executed", "17", (char *)NULL);
		_exit(127);
	}
	CHECK_EQ(ended(pid), 17);
	/* A failed exec leaves the child where it was. */
	pid = vfork();
	if (pid == 0) {
		execl("/nonexistent/program", "x", (char *)NULL);
		_exit(errno == ENOENT ? 55 : 56);
	}
	CHECK_EQ(ended(pid), 55);
	/* The parent goes on only when the child is gone: the pipe has been written then. */
	int ends[2];
	char text[8] = "";
	CHECK_OK(pipe2(ends, O_NONBLOCK));
	pid = vfork();
	if (pid == 0) {
		usleep(20000);
		_exit(write(ends[1], "done", 4) != 4);
	}
	CHECK_EQ(read(ends[0], text, 8), 4);
	CHECK_STR(text, "done");
	CHECK_EQ(ended(pid), 0);
	/* Killed in between. */
	pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	CHECK_EQ(ended(pid), 137);
	touched = 1;
	CHECK_EQ(touched, 1);
	return check_done();
}
