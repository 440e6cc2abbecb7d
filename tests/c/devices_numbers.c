/* Devices have Linux's numbers, by name and by descriptor. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "check.h"

static const struct {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{ "/dev/null", 1, 3 },
	{ "/dev/zero", 1, 5 },
	{ "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 },
	{ "/dev/urandom", 1, 9 },
	{ "/dev/ptmx", 5, 2 },
};

int main(void)
{
	for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++) {
		struct stat a, b;
		int fd = open(devices[i].name, O_RDONLY | O_NOCTTY);
		CHECK_OK(fd);
		CHECK_OK(fstat(fd, &a));
		CHECK_OK(stat(devices[i].name, &b));
		CHECK(S_ISCHR(a.st_mode) && S_ISCHR(b.st_mode));
		CHECK_EQ(major(a.st_rdev), devices[i].major);
		CHECK_EQ(minor(a.st_rdev), devices[i].minor);
		CHECK(a.st_rdev == b.st_rdev && a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_mode == b.st_mode);
		CHECK_OK(close(fd));
	}
	struct stat st;
	CHECK_OK(stat("/dev/tty", &st));
	CHECK_EQ(major(st.st_rdev), 5);
	CHECK_EQ(minor(st.st_rdev), 0);
	char target[64] = "";
	CHECK(readlink("/dev/fd", target, sizeof target) > 0);
	CHECK_STR(target, "/proc/self/fd");
	CHECK_OK(access("/dev/shm", W_OK));
	CHECK_OK(access("/dev/pts", X_OK));
	return check_done();
}
