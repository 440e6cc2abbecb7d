/* A file that begins like a program and is larger than any program: it is looked at no longer than it takes to see that.
@in scratch */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"

int main(void)
{
	static const off_t sizes[] = {(off_t)1 << 31, (off_t)1 << 36};
	for (int i = 0; i < 2; i++) {
		int fd = open("huge", O_WRONLY | O_CREAT | O_TRUNC, 0755);
		CHECK(fd >= 0);
		CHECK_EQ(write(fd, "\0asm\1\0\0\0", 8), 8);
		CHECK_OK(ftruncate(fd, sizes[i]));
		CHECK_OK(close(fd));
		char *arguments[] = {"huge", NULL};
		CHECK_ERRNO(execv("./huge", arguments), ENOEXEC);
	}
	CHECK_OK(unlink("huge"));
	return check_done();
}
