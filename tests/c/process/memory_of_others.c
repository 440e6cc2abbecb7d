/* process_vm_readv and process_vm_writev: what they copy, across pages and ranges, from and to whom; process_mrelease.
 *
 * @cflags -w
 */
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "../process.h"

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

enum { PAGE = 4096, NOBODY = 1 << 22 };
#define BAD ((void *)(uintptr_t)-4096)

int main(void)
{
	char text[32] = "", *middle;
	struct gate ready = gate(), go = gate();
	if (geteuid() == 0) {
		CHECK_OK(setresgid(54326, 54326, 54326));
		CHECK_OK(setresuid(54326, 54326, 54326));
		CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
	}
	char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(pages + 2 * PAGE, PAGE);
	middle = pages + PAGE - 4;
	memcpy(middle, "the parent's", 13);
	pid_t child = start();
	if (child == 0) {
		memcpy(middle, "the child's!", 13);
		gate_open(&ready);
		gate_wait(&go);
		CHECK_STR(middle, "written here");
		finish();
	}
	gate_wait(&ready);
	struct iovec own[2] = { { text, 4 }, { text + 4, 20 } }, theirs[2] = { { middle, 9 }, { middle + 9, 4 } };
	CHECK_EQ(process_vm_readv(child, own, 2, theirs, 2, 0), 13);
	CHECK_STR(text, "the child's!");
	CHECK_STR(middle, "the parent's");
	CHECK_EQ(process_vm_readv(getpid(), own, 2, theirs, 1, 0), 9);
	CHECK_STR(text, "the paren's!");
	struct iovec from = { "written here", 13 };
	theirs[0].iov_len = 13;
	CHECK_EQ(process_vm_writev(child, &from, 1, theirs, 1, 0), 13);
	CHECK_EQ(process_vm_readv(child, own, 0, theirs, 1, 0), 0);
	CHECK_EQ(process_vm_readv(child, own, 1, theirs, 0, 0), 0);

	/* Up to the page that is not there; then an error. */
	static char large[2 * PAGE];
	struct iovec all = { large, sizeof large }, tail = { pages + PAGE, 2 * PAGE }, gone = { pages + 2 * PAGE, 8 };
	CHECK_EQ(process_vm_readv(child, &all, 1, &tail, 1, 0), PAGE);
	CHECK_ERRNO(process_vm_readv(child, &all, 1, &gone, 1, 0), EFAULT);
	CHECK_ERRNO(process_vm_writev(child, &all, 1, &gone, 1, 0), EFAULT);
	CHECK_ERRNO(process_vm_readv(child, &gone, 1, &tail, 1, 0), EFAULT);
	CHECK_ERRNO(process_vm_readv(child, BAD, 1, &tail, 1, 0), EFAULT);
	CHECK_ERRNO(process_vm_readv(child, &all, 1, BAD, 1, 0), EFAULT);
	CHECK_ERRNO(process_vm_readv(child, &all, 1, &tail, 1, 1), EINVAL);
	CHECK_ERRNO(process_vm_writev(child, &all, 1, &tail, 1, 1), EINVAL);
	CHECK_ERRNO(process_vm_readv(child, &all, IOV_MAX + 1, &tail, 1, 0), EINVAL);
	CHECK_ERRNO(process_vm_readv(child, &all, 1, &tail, IOV_MAX + 1, 0), EINVAL);
	CHECK_ERRNO(process_vm_readv(NOBODY, &all, 1, &tail, 1, 0), ESRCH);
	CHECK_ERRNO(process_vm_writev(NOBODY, &all, 1, &tail, 1, 0), ESRCH);

	int fd = (int)syscall(SYS_pidfd_open, child, 0);
	CHECK_OK(fd);
	CHECK_ERRNO(syscall(SYS_process_mrelease, fd, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_process_mrelease, fd, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_process_mrelease, 777, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_process_mrelease, 0, 0), EBADF);
	gate_open(&go);
	siginfo_t info;
	CHECK_OK(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	CHECK_ERRNO(process_vm_readv(child, &all, 1, &tail, 1, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_process_mrelease, fd, 0), ESRCH);
	CHECK_EQ(ended(child), 0);
	CHECK_ERRNO(syscall(SYS_process_mrelease, fd, 0), ESRCH);
	/* One that does not want to be looked into. */
	child = start();
	if (child == 0) {
		CHECK_OK(prctl(PR_SET_DUMPABLE, 0));
		gate_open(&ready);
		gate_wait(&go);
		finish();
	}
	gate_wait(&ready);
	CHECK_ERRNO(process_vm_readv(child, &all, 1, &tail, 1, 0), EPERM);
	CHECK_ERRNO(process_vm_writev(child, &all, 1, &tail, 1, 0), EPERM);
	gate_open(&go);
	CHECK_EQ(ended(child), 0);
	return check_done();
}
