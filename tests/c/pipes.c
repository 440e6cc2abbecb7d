/* Pipes within one process, and poll and select on them. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static void simple(void)
{
	int p[2], n = 0;
	char buffer[16];
	CHECK_OK(pipe(p));
	CHECK_EQ(write(p[1], "hello", 5), 5);
	CHECK_OK(ioctl(p[0], FIONREAD, &n));
	CHECK_EQ(n, 5);
	CHECK_EQ(read(p[0], buffer, 3), 3);
	CHECK_EQ(read(p[0], buffer, 16), 2);
	CHECK_ERRNO(lseek(p[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(p[0], buffer, 1, 0), ESPIPE);
	CHECK_ERRNO(read(p[1], buffer, 1), EBADF);
	CHECK_ERRNO(write(p[0], buffer, 1), EBADF);
	CHECK_ERRNO(ftruncate(p[1], 0), EINVAL);
	CHECK_OK(close(p[1]));
	CHECK_EQ(read(p[0], buffer, 16), 0);
	CHECK_OK(close(p[0]));
}

static void nonblocking(void)
{
	int p[2];
	char block[4096] = "";
	size_t total = 0;
	CHECK_OK(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(p[1], F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(read(p[0], block, 1), EAGAIN);
	ssize_t n;
	while ((n = write(p[1], block, sizeof block)) > 0)
		total += (size_t)n;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(total, 65536);
	CHECK_EQ(fcntl(p[1], F_GETPIPE_SZ), 65536);
	while ((n = read(p[0], block, sizeof block)) > 0)
		total -= (size_t)n;
	CHECK_EQ(total, 0);
	/* Nobody reads any more. */
	signal(SIGPIPE, SIG_IGN);
	CHECK_OK(close(p[0]));
	CHECK_ERRNO(write(p[1], "x", 1), EPIPE);
	CHECK_OK(close(p[1]));
	CHECK_ERRNO(pipe2(p, 0x4000000), EINVAL);
}

static void polling(void)
{
	int p[2];
	CHECK_OK(pipe(p));
	struct pollfd f[3] = { { p[0], POLLIN, 0 }, { p[1], POLLOUT, 0 }, { -1, POLLIN, 9 } };
	CHECK_EQ(poll(f, 3, 0), 1);
	CHECK_EQ(f[0].revents, 0);
	CHECK_EQ(f[1].revents, POLLOUT);
	CHECK_EQ(f[2].revents, 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(poll(f, 1, -1), 1);
	CHECK_EQ(f[0].revents, POLLIN);
	CHECK_OK(close(p[1]));
	CHECK_EQ(poll(f, 1, 0), 1);
	CHECK_EQ(f[0].revents, POLLIN | POLLHUP);
	f[1].fd = 77;
	CHECK_EQ(poll(f + 1, 1, 0), 1);
	CHECK_EQ(f[1].revents, POLLNVAL);
	CHECK_OK(close(p[0]));

	CHECK_OK(pipe(p));
	f[0] = (struct pollfd){ p[0], POLLIN, 0 };
	struct timespec before, after, wait = { 0, 30000000 };
	clock_gettime(CLOCK_MONOTONIC, &before);
	CHECK_EQ(poll(f, 1, 30), 0);
	CHECK_EQ(ppoll(f, 1, &wait, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	CHECK(ms >= 59 && ms < 5000);
	CHECK_OK(close(p[0]));
	CHECK_OK(close(p[1]));
}

static void selecting(void)
{
	int p[2];
	fd_set in, out;
	CHECK_OK(pipe(p));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p[0], &in);
	FD_SET(p[1], &out);
	struct timeval zero = { 0, 0 };
	CHECK_EQ(select(p[1] + 1, &in, &out, NULL, &zero), 1);
	CHECK(!FD_ISSET(p[0], &in) && FD_ISSET(p[1], &out));
	CHECK_EQ(write(p[1], "x", 1), 1);
	FD_SET(p[0], &in);
	CHECK_EQ(select(p[1] + 1, &in, &out, NULL, NULL), 2);
	CHECK(FD_ISSET(p[0], &in));
	struct timespec little = { 0, 1000000 };
	FD_ZERO(&in);
	CHECK_EQ(pselect(0, NULL, NULL, NULL, &little, NULL), 0);
	FD_SET(40, &in);
	CHECK_ERRNO(select(41, &in, NULL, NULL, &zero), EBADF);
	CHECK_ERRNO(select(-1, NULL, NULL, NULL, &zero), EINVAL);
	CHECK_OK(close(p[0]));
	CHECK_OK(close(p[1]));
}

int main(void)
{
	simple();
	nonblocking();
	polling();
	selecting();
	return check_done();
}
