/* Calls of variadic functions without the optional argument, and through pointers to functions that are not variadic.
 *
 * @cflags -w
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	char name[] = "/tmp/libc_variadic.XXXXXX";
	int fd = mkstemp(name);
	CHECK(fd >= 0);

	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_EQ(fcntl(fd, F_SETFD), 0);
	CHECK_EQ(syscall(SYS_getpid), getpid());
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK_ERRNO(ioctl(fd, TIOCEXCL), ENOTTY);
	char *pages = mmap(NULL, 0x20000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	CHECK(mremap(pages, 0x20000, 0x10000, 0) == pages);
	int plain = open(name, O_RDONLY);
	CHECK(plain >= 0);
	close(plain);

	int (*volatile my_open)(const char *, int, int) = (int (*)(const char *, int, int))open;
	int (*volatile my_fcntl)(int, int, int) = (int (*)(int, int, int))fcntl;
	unlink(name);
	umask(0);
	int made = my_open(name, O_CREAT | O_RDWR, 0640);
	CHECK(made >= 0);
	struct stat st;
	CHECK_EQ(fstat(made, &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0640);
	CHECK_EQ(my_fcntl(made, F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQ(fcntl(made, F_GETFD), FD_CLOEXEC);
	int copy = my_fcntl(made, F_DUPFD, 50);
	CHECK_EQ(copy, 50);
	unlink(name);
	return check_done();
}
