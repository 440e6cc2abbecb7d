/* kcmp: what processes share and what they have copies of; an order of what differs. And setns, for which there is nothing to enter.
 */
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "clone.h"

enum { NOBODY = 1 << 22 };

static long compare(pid_t one, pid_t other, int what, unsigned long i, unsigned long k)
{
	return syscall(SYS_kcmp, one, other, what, i, k);
}

static struct gate go;

static int waiting(void *arg)
{
	(void)arg;
	gate_wait(&go);
	return 0;
}

/* What differs has an order, and is not the same the other way round. */
static void ordered(pid_t one, pid_t other, int what)
{
	long forth = compare(one, other, what, 0, 0), back = compare(other, one, what, 0, 0);
	CHECK(forth == 1 || forth == 2);
	CHECK_EQ(forth + back, 3);
}

int main(void)
{
	pid_t self = getpid();
	/* Filters of containers refuse the call, natively. */
	if (compare(self, self, KCMP_VM, 0, 0) == -1 && (errno == EPERM || errno == ENOSYS))
		return check_done();
	int null = open("/dev/null", O_RDONLY), again = open("/dev/null", O_RDONLY), twin = dup(null);
	go = gate();

	CHECK_EQ(compare(self, self, KCMP_FILE, null, null), 0);
	CHECK_EQ(compare(self, self, KCMP_FILE, null, twin), 0);
	long order = compare(self, self, KCMP_FILE, null, again);
	CHECK(order == 1 || order == 2);
	CHECK_EQ(compare(self, self, KCMP_FILE, again, null), 3 - order);
	CHECK_EQ(compare(self, self, KCMP_FILE, again, twin), 3 - order);
	for (int what = KCMP_VM; what <= KCMP_SYSVSEM; what++)
		CHECK_EQ(compare(self, self, what, 0, 0), 0);

	/* A child of fork shares open files, and nothing else. */
	pid_t child = start();
	if (child == 0) {
		gate_wait(&go);
		finish();
	}
	CHECK_EQ(compare(self, child, KCMP_FILE, null, twin), 0);
	CHECK(compare(self, child, KCMP_FILE, null, again) > 0);
	ordered(self, child, KCMP_VM);
	ordered(self, child, KCMP_FILES);
	ordered(self, child, KCMP_FS);
	ordered(self, child, KCMP_SIGHAND);
	gate_open(&go);
	CHECK_EQ(ended(child), 0);

	pid_t sharing = clone_with(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, waiting, NULL);
	CHECK_OK(sharing);
	for (int what = KCMP_VM; what <= KCMP_SIGHAND; what++)
		CHECK_EQ(compare(self, sharing, what, 0, 0), 0);
	gate_open(&go);
	CHECK_EQ(ended(sharing), 0);

	pid_t half = clone_with(CLONE_FILES | SIGCHLD, waiting, NULL);
	CHECK_OK(half);
	CHECK_EQ(compare(self, half, KCMP_FILES, 0, 0), 0);
	ordered(self, half, KCMP_FS);
	gate_open(&go);
	CHECK_EQ(ended(half), 0);

	CHECK_ERRNO(compare(self, NOBODY, KCMP_VM, 0, 0), ESRCH);
	CHECK_ERRNO(compare(0, self, KCMP_VM, 0, 0), ESRCH);
	CHECK_ERRNO(compare(self, -1, KCMP_VM, 0, 0), ESRCH);
	CHECK_ERRNO(compare(self, self, 8, 0, 0), EINVAL);
	CHECK_ERRNO(compare(self, self, -1, 0, 0), EINVAL);
	CHECK_ERRNO(compare(self, self, KCMP_FILE, null, 999), EBADF);
	CHECK_ERRNO(compare(self, self, KCMP_FILE, -1, null), EBADF);

	CHECK_ERRNO(setns(-1, 0), EBADF);
	CHECK_ERRNO(setns(null, 0), EINVAL);
	int pidfd = pidfd_open(self, 0);
	CHECK_OK(pidfd);
	CHECK_ERRNO(setns(pidfd, 0), EINVAL);
	CHECK_ERRNO(setns(pidfd, CLONE_NEWUTS | CLONE_VM), EINVAL);
	CHECK_ERRNO(setns(pidfd, CLONE_NEWUSER), EINVAL);
	return check_done();
}
