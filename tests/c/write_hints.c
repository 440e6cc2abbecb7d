/* @in scratch
 * F_SET_RW_HINT and F_GET_RW_HINT of fcntl(2): how long what is written will live. A hint belongs to the file. */
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#include "check.h"

static int set(int fd, uint64_t hint)
{
	return fcntl(fd, F_SET_RW_HINT, &hint);
}

static long long get(int fd)
{
	uint64_t hint = 99;
	CHECK_OK(fcntl(fd, F_GET_RW_HINT, &hint));
	return hint;
}

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600), again = open("file", O_RDWR), other = open("other", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(get(fd), RWH_WRITE_LIFE_NOT_SET);
	for (int hint = RWH_WRITE_LIFE_EXTREME; hint >= RWH_WRITE_LIFE_NOT_SET; hint--) {
		CHECK_OK(set(fd, hint));
		CHECK_EQ(get(fd), hint);
		CHECK_EQ(get(again), hint);
		CHECK_EQ(get(other), RWH_WRITE_LIFE_NOT_SET);
	}
	CHECK_ERRNO(set(fd, 6), EINVAL);
	CHECK_ERRNO(set(fd, 1ULL << 32), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SET_RW_HINT, (void *)-1), EFAULT);
	CHECK_ERRNO(fcntl(fd, F_GET_RW_HINT, (void *)-1), EFAULT);
	CHECK_ERRNO(set(-1, 0), EBADF);
	int path = open("file", O_PATH);
	CHECK_ERRNO(set(path, 0), EBADF);
	return check_done();
}
