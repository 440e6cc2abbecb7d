/* socketpair(2): streams, datagrams and packets between processes, and what is refused. */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include "../process.h"

static void pair(int type, int fds[2])
{
	CHECK_OK(socketpair(AF_UNIX, type, 0, fds));
}

static void streams(void)
{
	int fds[2], left;
	char buffer[64];
	pair(SOCK_STREAM, fds);
	struct stat st;
	CHECK_OK(fstat(fds[0], &st));
	CHECK(S_ISSOCK(st.st_mode));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(close(fds[0]));
		CHECK_EQ(read(fds[1], buffer, sizeof buffer), 5);
		CHECK_EQ(memcmp(buffer, "hello", 5), 0);
		CHECK_EQ(write(fds[1], "answer", 6), 6);
		finish();
	}
	CHECK_OK(close(fds[1]));
	CHECK_EQ(send(fds[0], "hello", 5, 0), 5);
	CHECK_EQ(recv(fds[0], buffer, 2, MSG_PEEK), 2);
	CHECK_EQ(recv(fds[0], buffer, 6, MSG_WAITALL), 6);
	CHECK_EQ(memcmp(buffer, "answer", 6), 0);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(recv(fds[0], buffer, 1, 0), 0);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(fds[0], "x", 1), EPIPE);
	CHECK_ERRNO(send(fds[0], "x", 1, 0), EPIPE);
	signal(SIGPIPE, SIG_DFL);
	CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_OK(close(fds[0]));

	pair(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, fds);
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(recv(fds[0], buffer, 1, 0), EAGAIN);
	struct iovec out[2] = { { "ab", 2 }, { "cde", 3 } };
	CHECK_EQ(writev(fds[0], out, 2), 5);
	CHECK_OK(ioctl(fds[1], FIONREAD, &left));
	CHECK_EQ(left, 5);
	struct iovec in[2] = { { buffer, 1 }, { buffer + 1, 10 } };
	CHECK_EQ(readv(fds[1], in, 2), 5);
	CHECK_EQ(memcmp(buffer, "abcde", 5), 0);
	struct pollfd polled = { fds[0], POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&polled, 1, 0), 1);
	CHECK_EQ(polled.revents, POLLOUT);
	CHECK_OK(shutdown(fds[1], SHUT_WR));
	CHECK_EQ(poll(&polled, 1, 0), 1);
	CHECK_EQ(polled.revents, POLLIN | POLLOUT);
	CHECK_EQ(recv(fds[0], buffer, 1, 0), 0);
	CHECK_EQ(send(fds[0], "z", 1, 0), 1);
	CHECK_EQ(recv(fds[1], buffer, 9, 0), 1);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	close(fds[0]);
	close(fds[1]);
}

static void packets(int type)
{
	int fds[2];
	char buffer[64];
	pair(type, fds);
	CHECK_EQ(send(fds[0], "first", 5, 0), 5);
	CHECK_EQ(write(fds[0], "second", 6), 6);
	CHECK_EQ(send(fds[0], "", 0, 0), 0);
	CHECK_EQ(send(fds[0], "last", 4, 0), 4);
	CHECK_EQ(recv(fds[1], buffer, 3, MSG_PEEK | MSG_TRUNC), 5);
	struct iovec in = { buffer, 3 };
	struct msghdr message = { .msg_iov = &in, .msg_iovlen = 1 };
	CHECK_EQ(recvmsg(fds[1], &message, 0), 3);
	CHECK(message.msg_flags & MSG_TRUNC);
	CHECK_EQ(read(fds[1], buffer, sizeof buffer), 6);
	CHECK_EQ(recv(fds[1], buffer, sizeof buffer, 0), 0);
	CHECK_EQ(recv(fds[1], buffer, sizeof buffer, 0), 4);
	CHECK_ERRNO(recv(fds[1], buffer, sizeof buffer, MSG_DONTWAIT), EAGAIN);
	/* No signal, unlike a stream. */
	close(fds[1]);
	CHECK_ERRNO(write(fds[0], "x", 1), type == SOCK_DGRAM ? ECONNREFUSED : EPIPE);
	close(fds[0]);
}

int main(void)
{
	int fds[2], first = dup(0);
	CHECK_OK(close(first));
	streams();
	packets(SOCK_DGRAM);
	packets(SOCK_SEQPACKET);
	CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, fds), EOPNOTSUPP);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 6, fds), EPROTONOSUPPORT);
	CHECK_ERRNO(socketpair(AF_UNIX, 77, 0, fds), EINVAL);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM | 0x100000, 0, fds), EINVAL);
	CHECK_ERRNO(socketpair(999, SOCK_STREAM, 0, fds), EAFNOSUPPORT);
	int *volatile nowhere = (int *)16;
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere), EFAULT);
	/* No descriptor is left open. */
	CHECK_EQ(dup(0), first);
	CHECK_ERRNO(send(0, "x", 1, 0), ENOTSOCK);
	CHECK_ERRNO(send(99, "x", 1, 0), EBADF);
	return check_done();
}
