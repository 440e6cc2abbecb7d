/* A bad pointer given to a system call is EFAULT, never more.
 *
 * @in scratch
 * @cflags -w
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	char *gone = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(gone + 4096, 4096);
	char *const edge = gone + 4096;
	int fd = open("file", O_RDWR | O_CREAT, 0644), dir = open(".", O_RDONLY), p[2];
	CHECK_EQ(write(fd, "0123456789", 10), 10);
	CHECK_OK(pipe(p));
	void *const bad[] = { NULL, (void *)8, edge, (void *)(uintptr_t)-1, (void *)(uintptr_t)-4096 };

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		void *b = bad[i];
		CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
		CHECK_ERRNO(syscall(SYS_openat, AT_FDCWD, b, O_RDONLY, 0), EFAULT);
		CHECK_ERRNO(syscall(SYS_read, fd, b, 10), EFAULT);
		CHECK_ERRNO(syscall(SYS_write, p[1], b, 10), EFAULT);
		CHECK_ERRNO(syscall(SYS_mkdirat, AT_FDCWD, b, 0755), EFAULT);
		CHECK_ERRNO(syscall(SYS_unlinkat, AT_FDCWD, b, 0), EFAULT);
		CHECK_ERRNO(syscall(SYS_chdir, b), EFAULT);
		CHECK_ERRNO(syscall(SYS_readlinkat, AT_FDCWD, b, gone, 100), EFAULT);
		CHECK_ERRNO(syscall(SYS_linkat, AT_FDCWD, "file", AT_FDCWD, b, 0), EFAULT);
		CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, b, AT_FDCWD, "x", 0), EFAULT);
		CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "file", 0, STATX_BASIC_STATS, b), EFAULT);
		CHECK_ERRNO(syscall(SYS_getdents64, dir, b, 1000), EFAULT);
		CHECK_ERRNO(syscall(SYS_pipe2, b, 0), EFAULT);
		CHECK_ERRNO(syscall(SYS_uname, b), EFAULT);
		CHECK_ERRNO(syscall(SYS_getcwd, b, 100), EFAULT);
		CHECK_ERRNO(syscall(SYS_readv, fd, b, 1), EFAULT);
		CHECK_ERRNO(syscall(SYS_writev, fd, b, 1), EFAULT);
		CHECK_ERRNO(syscall(SYS_getrandom, b, 16, 0), EFAULT);
	}

	/* What lies before the bad page is used: short counts, then EFAULT. */
	memset(gone, 'a', 4096);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(p[1], "0123456789", 10), 10);
	errno = 0;
	ssize_t n = read(fd, edge - 4, 10);
	CHECK(n == 4 || (n == -1 && errno == EFAULT));
	/* A path that runs into the bad page without an end. */
	CHECK_ERRNO(open(edge - 5, O_RDONLY), EFAULT);
	memcpy(edge - 5, "file", 5);
	int other = open(edge - 5, O_RDONLY);
	CHECK_OK(other);
	close(other);
	struct iovec v[2] = { { gone, 5 }, { edge, 5 } };
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	n = readv(fd, v, 2);
	CHECK(n == 5 || (n == -1 && errno == EFAULT));
	v[0] = (struct iovec){ edge, 0 };
	CHECK_OK(readv(fd, v, 1));
	/* Nothing to copy: the pointer does not matter. */
	CHECK_EQ(read(fd, edge, 0), 0);
	CHECK_EQ(write(fd, edge, 0), 0);
	CHECK_OK(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL));
	CHECK_ERRNO(syscall(SYS_getcwd, gone, 1), ERANGE);
	CHECK_ERRNO(syscall(100000), ENOSYS);
	CHECK_ERRNO(syscall(-1), ENOSYS);
	return check_done();
}
