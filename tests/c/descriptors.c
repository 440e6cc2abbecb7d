/* The descriptor table: lowest number first, duplicates, close-on-exec, limits.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static void duplicates(void)
{
	char c;
	int fd = open("file", O_RDWR | O_CREAT, 0644), copy, high;
	CHECK_EQ(fd, 3);
	CHECK_OK(copy = dup(fd));
	CHECK_EQ(copy, 4);
	CHECK_EQ(write(fd, "abcdef", 6), 6);
	CHECK_EQ(lseek(copy, 0, SEEK_CUR), 6);
	CHECK_EQ(lseek(copy, 2, SEEK_SET), 2);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 'c');
	CHECK_EQ(dup2(fd, 9), 9);
	CHECK_EQ(dup2(fd, fd), fd);
	CHECK_EQ(dup2(fd, 9), 9);
	CHECK_OK(close(fd));
	CHECK_EQ(open("file", O_RDONLY), 3);
	CHECK_EQ(lseek(3, 0, SEEK_CUR), 0);
	CHECK_EQ(lseek(9, 0, SEEK_CUR), 3);
	CHECK_EQ(fcntl(9, F_DUPFD, 20), 20);
	CHECK_EQ(fcntl(9, F_DUPFD, 20), 21);
	CHECK_OK(high = fcntl(9, F_DUPFD_CLOEXEC, 5));
	CHECK_EQ(high, 5);
	CHECK_EQ(fcntl(high, F_GETFD), FD_CLOEXEC);
	CHECK_OK(fcntl(high, F_SETFD, 0));
	CHECK_EQ(fcntl(high, F_GETFD), 0);
	CHECK_EQ(dup3(9, 6, O_CLOEXEC), 6);
	CHECK_EQ(fcntl(6, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(dup(6), 7);
	CHECK_EQ(fcntl(7, F_GETFD), 0);
	CHECK_ERRNO(dup3(9, 9, 0), EINVAL);
	CHECK_ERRNO(dup3(9, 8, O_APPEND), EINVAL);
	int cloexec = open("file", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(fcntl(cloexec, F_GETFD), FD_CLOEXEC);
	CHECK_OK(ioctl(cloexec, FIONCLEX));
	CHECK_EQ(fcntl(cloexec, F_GETFD), 0);
	CHECK_OK(ioctl(cloexec, FIOCLEX));
	CHECK_EQ(fcntl(cloexec, F_GETFD), FD_CLOEXEC);
	CHECK_OK(close_range(3, 30, 0));
	CHECK_ERRNO(fcntl(20, F_GETFD), EBADF);
}

static void bad_numbers(void)
{
	CHECK_ERRNO(close(-1), EBADF);
	CHECK_ERRNO(close(1000000), EBADF);
	CHECK_ERRNO(dup(-1), EBADF);
	CHECK_ERRNO(dup(50), EBADF);
	CHECK_ERRNO(dup2(50, 3), EBADF);
	CHECK_ERRNO(dup2(0, -1), EBADF);
	CHECK_ERRNO(dup2(0, 100000000), EBADF);
	CHECK_ERRNO(fcntl(50, F_GETFL), EBADF);
	CHECK_ERRNO(fcntl(0, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(0, 9999), EINVAL);
	CHECK_ERRNO(write(50, "", 1), EBADF);
	CHECK_ERRNO(fchdir(50), EBADF);
	CHECK_ERRNO(ioctl(50, FIONREAD, NULL), EBADF);
}

static void limits(void)
{
	struct rlimit old, few;
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &old));
	few = old;
	few.rlim_cur = 10;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &few));
	CHECK_EQ(sysconf(_SC_OPEN_MAX), 10);
	CHECK_EQ(getdtablesize(), 10);
	int opened = 0;
	while (open("file", O_RDONLY) >= 0)
		opened++;
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(opened, 7);
	CHECK_ERRNO(dup(0), EMFILE);
	int both[2];
	CHECK_ERRNO(pipe(both), EMFILE);
	CHECK_ERRNO(dup2(0, 10), EBADF);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 10), EINVAL);
	CHECK_OK(close(5));
	CHECK_EQ(dup(0), 5);
	few.rlim_cur = few.rlim_max;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &old));
	CHECK_EQ(open("file", O_RDONLY), 10);
	for (int i = 3; i <= 10; i++)
		CHECK_OK(close(i));
}

static void many(void)
{
	for (int i = 0; i < 500; i++)
		CHECK_EQ(open("file", O_RDONLY), 3 + i);
	for (int i = 0; i < 500; i += 2)
		CHECK_OK(close(3 + i));
	for (int i = 0; i < 500; i += 2)
		CHECK_EQ(open("file", O_RDONLY), 3 + i);
	for (int i = 0; i < 500; i++)
		CHECK_OK(close(3 + i));
}

static void standard(void)
{
	int saved = dup(1), fd = open("out", O_RDWR | O_CREAT, 0644);
	char text[16] = "";
	fflush(stdout);
	CHECK_EQ(dup2(fd, 1), 1);
	printf("redirected");
	fflush(stdout);
	CHECK_EQ(dup2(saved, 1), 1);
	CHECK_EQ(pread(fd, text, 15, 0), 10);
	CHECK_STR(text, "redirected");
	CHECK_OK(close(0));
	CHECK_EQ(open("file", O_RDONLY), 0);
	CHECK_OK(close(saved));
	CHECK_OK(close(fd));
}

int main(void)
{
	/* Whatever was inherited beyond the standard streams is not part of this test. */
	close_range(3, ~0u, 0);
	duplicates();
	bad_numbers();
	limits();
	many();
	standard();
	return check_done();
}
