/* The macros of a wait status, wait3, wait4 with resource usage, waitid's view of the same. */
#include <sys/resource.h>
#include "process.h"

int main(void)
{
	int status;
	struct rusage usage;
	pid_t pid = start();
	if (pid == 0) {
		/* Some work, to be seen in the usage. */
		volatile double x = 1;
		struct rusage own;
		do {
			for (int i = 0; i < 100000; i++)
				x = x * 1.0000001;
			getrusage(RUSAGE_SELF, &own);
		} while (own.ru_utime.tv_sec == 0 && own.ru_utime.tv_usec < 20000);
		_exit(7);
	}
	memset(&usage, 0xff, sizeof usage);
	CHECK_EQ(wait4(pid, &status, 0, &usage), pid);
	CHECK(WIFEXITED(status) && !WIFSIGNALED(status) && !WIFSTOPPED(status) && !WIFCONTINUED(status));
	CHECK_EQ(WEXITSTATUS(status), 7);
	CHECK_EQ(status, 7 << 8);
	CHECK(usage.ru_utime.tv_sec == 0 ? usage.ru_utime.tv_usec >= 20000 : usage.ru_utime.tv_sec < 100);
	CHECK_OK(getrusage(RUSAGE_CHILDREN, &usage));
	CHECK(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec >= 20000);

	pid = start();
	if (pid == 0) {
		kill(getpid(), SIGTERM);
		_exit(1);
	}
	CHECK_EQ(wait3(&status, 0, &usage), pid);
	CHECK(!WIFEXITED(status) && WIFSIGNALED(status) && !WIFSTOPPED(status) && !WIFCONTINUED(status));
	CHECK_EQ(WTERMSIG(status), SIGTERM);
	CHECK(!WCOREDUMP(status));
	CHECK_EQ(status, SIGTERM);

	pid = start();
	if (pid == 0)
		_exit(0);
	CHECK_EQ(wait4(pid, NULL, 0, NULL), pid);
	pid = start();
	if (pid == 0)
		_exit(0);
	CHECK_EQ(wait4(-1, NULL, __WALL, NULL), pid);

	/* A status that cannot be written: the child is gone all the same. */
	pid = start();
	if (pid == 0)
		_exit(0);
	CHECK_ERRNO(waitpid(pid, (int *)16, 0), EFAULT);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
	return check_done();
}
