/* Record locks on pipes and fifos: taken and seen like those on files, and no end of the pipe more for that.
 *
 * @in scratch
 */
#include <sys/stat.h>
#include "../process.h"

static int lock(int fd, int command, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };
	return fcntl(fd, command, &lock);
}

int main(void)
{
	int end[2];
	char byte;
	CHECK_OK(pipe(end));
	CHECK_OK(lock(end[0], F_SETLK, F_RDLCK));
	CHECK_ERRNO(lock(end[0], F_SETLK, F_WRLCK), EBADF);
	pid_t pid = start();
	if (pid == 0) {
		CHECK_ERRNO(lock(end[1], F_SETLK, F_WRLCK), EAGAIN);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(write(end[1], "x", 1), 1);
	close(end[1]);
	CHECK_EQ(read(end[0], &byte, 1), 1);
	CHECK_EQ(read(end[0], &byte, 1), 0);
	close(end[0]);

	/* Without a reader, writing fails, locks or not. */
	CHECK_OK(pipe(end));
	CHECK_OK(lock(end[1], F_SETLK, F_WRLCK));
	close(end[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(end[1], "x", 1), EPIPE);
	close(end[1]);

	CHECK_OK(mkfifo("fifo", 0600));
	int reader = open("fifo", O_RDONLY | O_NONBLOCK), writer = open("fifo", O_WRONLY), again = dup(writer);
	CHECK_OK(lock(writer, F_SETLK, F_WRLCK));
	pid = start();
	if (pid == 0) {
		CHECK_ERRNO(lock(reader, F_SETLK, F_RDLCK), EAGAIN);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	/* Any close gives it up. */
	close(again);
	pid = start();
	if (pid == 0) {
		CHECK_OK(lock(reader, F_SETLK, F_RDLCK));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(lock(writer, F_SETLK, F_WRLCK));
	close(writer);
	CHECK_EQ(read(reader, &byte, 1), 0);
	return check_done();
}
