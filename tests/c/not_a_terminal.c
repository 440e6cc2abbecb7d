/* Terminal questions about what is none are answered with ENOTTY.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	struct termios t;
	struct winsize w;
	int p[2], fd = open("file", O_RDWR | O_CREAT, 0644), null = open("/dev/null", O_RDWR);
	CHECK_OK(pipe(p));
	int all[] = { 0, 1, 2, fd, null, p[0], p[1] };
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		CHECK_EQ(isatty(all[i]), 0);
		CHECK_EQ(errno, ENOTTY);
		CHECK_ERRNO(tcgetattr(all[i], &t), ENOTTY);
		CHECK_ERRNO(ioctl(all[i], TIOCGWINSZ, &w), ENOTTY);
		CHECK(ttyname(all[i]) == NULL && errno == ENOTTY);
	}
	CHECK_EQ(isatty(77), 0);
	CHECK_EQ(errno, EBADF);
	CHECK_ERRNO(tcgetpgrp(fd), ENOTTY);
	CHECK_ERRNO(ioctl(fd, 0x12345678, NULL), ENOTTY);
	return check_done();
}
