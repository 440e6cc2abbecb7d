/* unshare and close_range give a process a descriptor table and a working directory of its own that it shared with its parent.
 */
#include <linux/close_range.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "../process.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

static int low, high;

/* What a child does; its exit status is 0 if that is right. */
static int closes(void *unused)
{
	(void)unused;
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE) < 0)
		return 1;
	return fcntl(low, F_GETFD) != -1 || fcntl(high, F_GETFD) != -1;
}

static int marks(void *unused)
{
	(void)unused;
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) < 0)
		return 1;
	return fcntl(low, F_GETFD) != FD_CLOEXEC || fcntl(high, F_GETFD) != FD_CLOEXEC;
}

static int leaves(void *unused)
{
	(void)unused;
	if (unshare(CLONE_FILES | CLONE_FS) < 0 || close(low) < 0)
		return 1;
	umask(0);
	return chdir("/dev") < 0;
}

static int shares(void *unused)
{
	(void)unused;
	umask(022);
	return close(low) < 0;
}

/* Runs a function in a process that shares descriptors and directories, but no memory. */
static int sharing(int (*body)(void *))
{
	static char stack[65536] __attribute__((aligned(16)));
	fflush(stdout);
	pid_t pid = clone(body, stack + sizeof stack, CLONE_FILES | CLONE_FS | SIGCHLD, NULL);
	return pid < 0 ? -1 : ended(pid);
}

int main(void)
{
	char before[256], after[256];
	low = open("/dev/null", O_RDWR);
	high = dup2(low, 500);
	umask(077);
	CHECK(getcwd(before, sizeof before) != NULL);

	CHECK_EQ(sharing(closes), 0);
	CHECK_EQ(fcntl(low, F_GETFD), 0);
	CHECK_EQ(fcntl(high, F_GETFD), 0);
	CHECK_EQ(sharing(marks), 0);
	CHECK_EQ(fcntl(low, F_GETFD), 0);
	CHECK_EQ(fcntl(high, F_GETFD), 0);
	CHECK_EQ(sharing(leaves), 0);
	CHECK_EQ(fcntl(low, F_GETFD), 0);
	CHECK(getcwd(after, sizeof after) != NULL);
	CHECK_STR(after, before);
	CHECK_EQ(umask(077), 077);
	CHECK_EQ(sharing(shares), 0);
	CHECK_ERRNO(fcntl(low, F_GETFD), EBADF);
	CHECK_EQ(umask(077), 022);

	CHECK_OK(unshare(0));
	CHECK_ERRNO(unshare(1), EINVAL);
	return check_done();
}
