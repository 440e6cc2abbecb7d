/* The program's own file is visible at its own path and can be read, like natively. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

int main(int argc, char **argv)
{
	struct stat a, b;
	char magic[4];
	(void)argc;
	CHECK_OK(stat(argv[0], &a));
	CHECK_OK(stat("/proc/self/exe", &b));
	CHECK(a.st_ino == b.st_ino && a.st_size == b.st_size && S_ISREG(a.st_mode));
	CHECK_OK(access(argv[0], R_OK | X_OK));
	int fd = open(argv[0], O_RDONLY);
	CHECK_OK(fd);
	CHECK_EQ(read(fd, magic, 4), 4);
	CHECK(!memcmp(magic, "\177ELF", 4) || !memcmp(magic, "\0asm", 4));
	CHECK_OK(close(fd));
	return check_done();
}
