/* The few devices every program expects. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	char buffer[100];
	struct stat st;
	int fd = open("/dev/null", O_RDWR);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, buffer, 100), 100);
	CHECK_EQ(read(fd, buffer, 100), 0);
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK_OK(close(fd));
	fd = open("/dev/zero", O_RDWR);
	memset(buffer, 1, 100);
	CHECK_EQ(read(fd, buffer, 100), 100);
	CHECK(buffer[0] == 0 && buffer[99] == 0);
	CHECK_EQ(write(fd, buffer, 100), 100);
	CHECK_OK(close(fd));
	fd = open("/dev/full", O_RDWR);
	CHECK_ERRNO(write(fd, buffer, 1), ENOSPC);
	CHECK_EQ(read(fd, buffer, 10), 10);
	CHECK_OK(close(fd));
	CHECK_EQ(access("/dev/urandom", R_OK), 0);
	CHECK_EQ(access("/dev/random", R_OK), 0);
	fd = open("/dev/stdout", O_WRONLY);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, "through /dev/stdout\n", 20), 20);
	CHECK_OK(close(fd));
	fd = open("/dev/fd/1", O_WRONLY);
	CHECK_EQ(write(fd, "through /dev/fd/1\n", 18), 18);
	CHECK_OK(close(fd));
	CHECK_ERRNO(open("/dev/absent", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/dev/null/x", O_RDONLY), ENOTDIR);
	return check_done();
}
