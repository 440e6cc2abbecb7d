/* A child's end is not hidden by the signal that tells of it: wait(2) gives the child, and the handler runs after that. */
#include "process.h"

static volatile sig_atomic_t calls;

static void on_child(int signo)
{
	(void)signo;
	calls++;
}

int main(void)
{
	CHECK_OK(handle(SIGCHLD, on_child, 0));
	for (int i = 0; i < 2000; i++) {
		int status = 0;
		pid_t pid = fork();
		if (pid == 0) {
			if (i % 2)
				usleep(50);
			_exit(i % 100);
		}
		/* By its number, as any child, and by its group. */
		pid_t which[] = { pid, -1, 0 };
		CHECK_EQ(waitpid(which[i % 3], &status, 0), pid);
		CHECK_EQ(status, W_EXITCODE(i % 100, 0));
		CHECK_EQ(calls, i + 1);
		if (check_failures)
			break;
	}
	return check_done();
}
