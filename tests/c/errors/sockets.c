/* Every call about sockets, with each wrong descriptor, address, length and flag.
 *
 * @in scratch
 * @cflags -w
 */
#include <limits.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include "errors.h"

#define UNIX(path) (struct sockaddr *)&(struct sockaddr_un){ AF_UNIX, path }, sizeof(struct sockaddr_un)
#define WHOLE sizeof(struct sockaddr_un)

static int listener, stream[2], datagram[2], fresh, file;
static char text[16];

static struct msghdr message(void *base, size_t length)
{
	static struct iovec one;
	one = (struct iovec){ base, length };
	return (struct msghdr){ .msg_iov = &one, .msg_iovlen = 1 };
}

/* What is no socket, or nothing at all. */
static void descriptors(void)
{
	struct sockaddr_un name;
	socklen_t length = sizeof name, four = 4;
	struct msghdr m = message(text, 1);
	struct mmsghdr several = { m, 0 };
	for (int i = 0; i < 2; i++) {
		int fd = i ? file : CLOSED, error = i ? ENOTSOCK : EBADF;
		CHECK_ERRNO(bind(fd, UNIX("x")), error);
		CHECK_ERRNO(listen(fd, 1), error);
		CHECK_ERRNO(accept(fd, NULL, NULL), error);
		CHECK_ERRNO(accept4(fd, NULL, NULL, SOCK_CLOEXEC), error);
		CHECK_ERRNO(connect(fd, UNIX("x")), error);
		CHECK_ERRNO(getsockname(fd, (void *)&name, &length), error);
		CHECK_ERRNO(getpeername(fd, (void *)&name, &length), error);
		CHECK_ERRNO(send(fd, text, 1, 0), error);
		CHECK_ERRNO(sendto(fd, text, 1, 0, UNIX("x")), error);
		CHECK_ERRNO(recv(fd, text, 1, 0), error);
		CHECK_ERRNO(recvfrom(fd, text, 1, 0, (void *)&name, &length), error);
		CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_TYPE, text, &four), error);
		CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, text, 4), error);
		CHECK_ERRNO(shutdown(fd, SHUT_RD), error);
		CHECK_ERRNO(sendmsg(fd, &m, 0), error);
		CHECK_ERRNO(recvmsg(fd, &m, 0), error);
		CHECK_ERRNO(sendmmsg(fd, &several, 1, 0), error);
		CHECK_ERRNO(recvmmsg(fd, &several, 1, 0, NULL), error);
	}
}

static void making(void)
{
	int pair[2];
	CHECK_ERRNO(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, 99, 0), EINVAL);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 99), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM | 0x100000, 0), EINVAL);
	CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, 17), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_INET, SOCK_DGRAM, 6), EPROTONOSUPPORT);
	CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP);
	CHECK_ERRNO(socketpair(99, SOCK_STREAM, 0, pair), EAFNOSUPPORT);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD), EFAULT);
	CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	CHECK_EQ(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	CHECK_OK(close(pair[0]));
	CHECK_OK(close(pair[1]));
}

static void names(void)
{
	struct sockaddr_un name = { AF_UNIX }, odd = { 99, "x" };
	socklen_t length = sizeof name, negative = (socklen_t)-1;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(bind(fd, BAD, WHOLE), EFAULT);
	CHECK_ERRNO(bind(fd, (void *)&odd, WHOLE), EINVAL);
	CHECK_ERRNO(bind(fd, (void *)&name, 1), EINVAL);
	CHECK_ERRNO(bind(fd, (void *)&name, 1000), EINVAL);
	CHECK_ERRNO(bind(fd, UNIX("file")), EADDRINUSE);
	CHECK_ERRNO(bind(fd, UNIX("absent/x")), ENOENT);
	CHECK_ERRNO(bind(fd, UNIX("file/x")), ENOTDIR);
	CHECK_ERRNO(bind(fd, UNIX("loop/x")), ELOOP);
	CHECK_ERRNO(bind(listener, UNIX("again")), EINVAL);
	CHECK_ERRNO(connect(fd, BAD, WHOLE), EFAULT);
	CHECK_ERRNO(connect(fd, (void *)&odd, WHOLE), EINVAL);
	CHECK_ERRNO(connect(fd, (void *)&name, 1), EINVAL);
	CHECK_ERRNO(connect(fd, UNIX("absent")), ENOENT);
	CHECK_ERRNO(connect(fd, UNIX("file")), ECONNREFUSED);
	CHECK_ERRNO(connect(fd, UNIX("file/x")), ENOTDIR);
	CHECK_ERRNO(connect(fd, UNIX("loop")), ELOOP);
	CHECK_ERRNO(connect(fd, UNIX("bound-datagram")), EPROTOTYPE);
	CHECK_ERRNO(connect(stream[0], UNIX("listener")), EISCONN);
	CHECK_ERRNO(listen(fd, 1), EINVAL);
	CHECK_ERRNO(listen(datagram[0], 1), EOPNOTSUPP);
	CHECK_ERRNO(listen(stream[0], 1), EINVAL);
	CHECK_ERRNO(getsockname(fd, BAD, &length), EFAULT);
	CHECK_ERRNO(getsockname(fd, (void *)&name, BAD), EFAULT);
	CHECK_ERRNO(getsockname(fd, (void *)&name, &negative), EINVAL);
	CHECK_ERRNO(getpeername(fd, (void *)&name, &length), ENOTCONN);
	length = sizeof name;
	CHECK_ERRNO(getpeername(stream[0], BAD, &length), EFAULT);
	CHECK_ERRNO(getpeername(stream[0], (void *)&name, &negative), EINVAL);
	length = 2;
	CHECK_OK(getsockname(listener, (void *)&name, &length));
	CHECK_EQ(length, offsetof(struct sockaddr_un, sun_path) + sizeof "listener");
	CHECK_OK(close(fd));
}

static void accepting(void)
{
	struct sockaddr_un name;
	socklen_t length = sizeof name, negative = (socklen_t)-1;
	CHECK_ERRNO(accept(fresh, NULL, NULL), EINVAL);
	CHECK_ERRNO(accept(datagram[0], NULL, NULL), EOPNOTSUPP);
	CHECK_ERRNO(accept4(listener, NULL, NULL, 1), EINVAL);
	CHECK_ERRNO(accept4(fresh, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(accept4(datagram[0], NULL, NULL, 0), EOPNOTSUPP);
	CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
	CHECK_ERRNO(accept4(listener, NULL, NULL, SOCK_NONBLOCK), EAGAIN);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(connect(fd, UNIX("listener")));
	CHECK_ERRNO(accept(listener, BAD, &length), EFAULT);
	CHECK_OK(close(fd));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(connect(fd, UNIX("listener")));
	int got = accept4(listener, (void *)&name, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
	CHECK_OK(got);
	CHECK_EQ(length, 2);
	CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(recv(got, text, 1, 0), EAGAIN);
	CHECK_OK(close(fd));
	CHECK_EQ(recv(got, text, 1, 0), 0);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(send(got, text, 1, 0), EPIPE);
	CHECK_OK(close(got));
	/* Unread bytes make the end of a connection an error at the other side. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(connect(fd, UNIX("listener")));
	CHECK_OK(got = accept(listener, NULL, NULL));
	CHECK_EQ(send(fd, text, 1, 0), 1);
	CHECK_OK(close(got));
	CHECK_ERRNO(recv(fd, text, 1, 0), ECONNRESET);
	CHECK_OK(close(fd));
}

static void bytes(void)
{
	struct sockaddr_un name;
	socklen_t length = sizeof name, negative = (socklen_t)-1;
	CHECK_ERRNO(send(fresh, text, 1, 0), ENOTCONN);
	CHECK_ERRNO(recv(fresh, text, 1, 0), EINVAL);
	CHECK_ERRNO(send(stream[0], BAD, 1, 0), EFAULT);
	CHECK_ERRNO(send(datagram[0], BAD, 1, 0), EFAULT);
	CHECK_ERRNO(send(stream[0], text, 1, MSG_OOB) < 0 ? -1 : (recv(stream[1], text, 1, MSG_OOB), errno = EOPNOTSUPP, -1), EOPNOTSUPP);
	CHECK_ERRNO(send(datagram[0], text, 1, MSG_OOB), EOPNOTSUPP);
	CHECK_ERRNO(recv(datagram[0], text, 1, MSG_OOB), EOPNOTSUPP);
	CHECK_ERRNO(sendto(stream[0], text, 1, 0, UNIX("x")), EISCONN);
	CHECK_ERRNO(sendto(fresh, text, 1, 0, UNIX("x")), EOPNOTSUPP);
	CHECK_ERRNO(sendto(datagram[0], text, 1, 0, BAD, WHOLE), EFAULT);
	CHECK_ERRNO(sendto(datagram[0], text, 1, 0, (void *)&name, 1000), EINVAL);
	CHECK_ERRNO(sendto(datagram[0], text, 1, 0, UNIX("absent")), ENOENT);
	CHECK_ERRNO(sendto(datagram[0], text, 1, 0, UNIX("file")), ECONNREFUSED);
	int alone = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CHECK_ERRNO(send(alone, text, 1, 0), ENOTCONN);
	CHECK_ERRNO(recv(alone, text, 1, 0), EAGAIN);
	CHECK_ERRNO(recv(alone, text, 1, MSG_DONTWAIT | MSG_PEEK), EAGAIN);
	CHECK_OK(close(alone));
	CHECK_EQ(send(datagram[0], "one", 3, MSG_EOR | MSG_CONFIRM | MSG_DONTROUTE), 3);
	CHECK_EQ(recv(datagram[1], text, 2, MSG_PEEK | MSG_TRUNC), 3);
	CHECK_ERRNO(recv(datagram[1], (void *)8, 2, 0), EFAULT);
	CHECK_EQ(send(datagram[0], "two", 3, MSG_NOSIGNAL), 3);
	CHECK_ERRNO(recvfrom(datagram[1], text, 3, 0, (void *)&name, &negative), EINVAL);
	int left = 0;
	while (recv(datagram[1], text, 3, MSG_DONTWAIT) >= 0)
		left++;
	CHECK_EQ(left, 0);
	CHECK_EQ(send(stream[0], "byte", 4, 0), 4);
	CHECK_ERRNO(recv(stream[1], BAD, 2, 0), EFAULT);
	CHECK_EQ(recv(stream[1], text, 2, MSG_WAITALL), 2);
	CHECK_EQ(recv(stream[1], text, 9, 0), 2);
	static char large[1 << 20];
	CHECK_ERRNO(send(datagram[0], large, sizeof large, 0), EMSGSIZE);
	while (send(stream[0], large, sizeof large, MSG_DONTWAIT) > 0)
		;
	CHECK_ERRNO(send(stream[0], text, 1, MSG_DONTWAIT), EAGAIN);
	while (recv(stream[1], large, sizeof large, MSG_DONTWAIT) > 0)
		;
	CHECK_ERRNO(recv(stream[1], text, 1, MSG_DONTWAIT), EAGAIN);
}

static void messages(void)
{
	struct msghdr m = message(text, 1), many = message(text, 1), bad = message(text, 1), where = message(text, 1);
	struct mmsghdr several[2] = { { message(text, 1) }, { message(text, 1) } };
	struct timespec wrong = { 0, -1 };
	CHECK_ERRNO(sendmsg(stream[0], BAD, 0), EFAULT);
	CHECK_ERRNO(recvmsg(stream[0], BAD, 0), EFAULT);
	many.msg_iovlen = IOV_MAX + 1;
	CHECK_ERRNO(sendmsg(stream[0], &many, 0), EMSGSIZE);
	CHECK_ERRNO(recvmsg(stream[0], &many, 0), EMSGSIZE);
	bad.msg_iov = BAD;
	CHECK_ERRNO(sendmsg(stream[0], &bad, 0), EFAULT);
	CHECK_ERRNO(recvmsg(stream[0], &bad, 0), EFAULT);
	CHECK_ERRNO(sendmsg(fresh, &m, 0), ENOTCONN);
	CHECK_ERRNO(recvmsg(fresh, &m, 0), EINVAL);
	CHECK_ERRNO(recvmsg(stream[1], &m, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(sendmsg(datagram[0], &m, MSG_OOB), EOPNOTSUPP);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_ERRNO(sendmsg(udp, &m, 0), EDESTADDRREQ);
	CHECK_ERRNO(write(udp, text, 1), EDESTADDRREQ);
	CHECK_ERRNO(send(udp, text, 1, 0), EDESTADDRREQ);
	CHECK_ERRNO(recvmsg(udp, &m, MSG_DONTWAIT), EAGAIN);
	CHECK_OK(close(udp));
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERRNO(recvmsg(tcp, &m, 0), ENOTCONN);
	CHECK_ERRNO(sendmsg(tcp, &m, MSG_NOSIGNAL), EPIPE);
	CHECK_ERRNO(shutdown(tcp, SHUT_WR), ENOTCONN);
	CHECK_OK(close(tcp));
	where.msg_name = &(struct sockaddr_un){ AF_UNIX, "absent" };
	where.msg_namelen = WHOLE;
	CHECK_ERRNO(sendmsg(stream[0], &where, 0), EISCONN);
	CHECK_ERRNO(sendmsg(fresh, &where, 0), EOPNOTSUPP);
	CHECK_ERRNO(sendmsg(datagram[0], &where, 0), ENOENT);
	where.msg_name = BAD;
	CHECK_ERRNO(sendmsg(datagram[0], &where, 0), EFAULT);
	/* What comes along: a descriptor that is none, a header that is too short, a kind that is unknown. */
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	memcpy(CMSG_DATA(&control.header), &(int){ CLOSED }, sizeof(int));
	m.msg_control = &control;
	m.msg_controllen = sizeof control;
	CHECK_ERRNO(sendmsg(stream[0], &m, 0), EBADF);
	control.header.cmsg_type = 99;
	CHECK_ERRNO(sendmsg(stream[0], &m, 0), EINVAL);
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = 4;
	CHECK_ERRNO(sendmsg(stream[0], &m, 0), EINVAL);
	m.msg_control = BAD;
	CHECK_ERRNO(sendmsg(stream[0], &m, 0), EFAULT);
	CHECK_EQ(sendmmsg(datagram[0], several, 2, 0), 2);
	CHECK_EQ(sendmmsg(datagram[0], several, 0, 0), 0);
	several[0].msg_hdr = message(text, 1);
	several[1].msg_hdr = message(text, 1);
	CHECK_EQ(recvmmsg(datagram[1], several, 2, MSG_WAITFORONE, NULL), 2);
	CHECK_ERRNO(recvmmsg(datagram[1], several, 2, MSG_DONTWAIT, NULL), EAGAIN);
	CHECK_ERRNO(recvmmsg(datagram[1], several, 2, 0, &wrong), EINVAL);
	CHECK_ERRNO(sendmmsg(datagram[0], BAD, 1, 0), EFAULT);
	CHECK_ERRNO(recvmmsg(datagram[1], BAD, 1, MSG_DONTWAIT, NULL), EFAULT);
}

static void options(void)
{
	int value = 1;
	socklen_t length = 4, negative = (socklen_t)-1, none = 0;
	CHECK_ERRNO(getsockopt(fresh, SOL_SOCKET, 999, &value, &length), ENOPROTOOPT);
	CHECK_ERRNO(getsockopt(fresh, 999, 1, &value, &length), EOPNOTSUPP);
	CHECK_ERRNO(getsockopt(fresh, SOL_SOCKET, SO_TYPE, BAD, &length), EFAULT);
	CHECK_ERRNO(getsockopt(fresh, SOL_SOCKET, SO_TYPE, &value, BAD), EFAULT);
	CHECK_ERRNO(getsockopt(fresh, SOL_SOCKET, SO_TYPE, &value, &negative), EINVAL);
	CHECK_OK(getsockopt(fresh, SOL_SOCKET, SO_TYPE, &value, &none));
	CHECK_EQ(none, 0);
	CHECK_ERRNO(setsockopt(fresh, SOL_SOCKET, 999, &value, 4), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fresh, 999, 1, &value, 4), EOPNOTSUPP);
	CHECK_ERRNO(setsockopt(fresh, SOL_SOCKET, SO_KEEPALIVE, &value, 3), EINVAL);
	CHECK_ERRNO(setsockopt(fresh, SOL_SOCKET, SO_KEEPALIVE, BAD, 4), EFAULT);
	CHECK_ERRNO(shutdown(stream[0], 3), EINVAL);
	CHECK_OK(shutdown(fresh, SHUT_RDWR));
	CHECK_OK(shutdown(stream[0], SHUT_WR));
	CHECK_ERRNO(send(stream[0], text, 1, 0), EPIPE);
	CHECK_EQ(recv(stream[1], text, 1, 0), 0);
	CHECK_OK(shutdown(stream[0], SHUT_RD));
	CHECK_ERRNO(send(stream[1], text, 1, 0), EPIPE);
}

static void limited(void)
{
	int other = socket(AF_UNIX, SOCK_STREAM, 0), next = dup(0);
	CHECK_OK(connect(other, UNIX("listener")));
	struct rlimit limit;
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = (rlim_t)next + 1;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_ERRNO(accept(listener, NULL, NULL), EMFILE);
	CHECK_ERRNO(accept4(listener, NULL, NULL, 0), EMFILE);
	CHECK_OK(close(next));
	CHECK_EQ(accept(listener, NULL, NULL), next);
}

int main(void)
{
	prepare_paths();
	file = open("file", O_RDONLY);
	CHECK_OK(fresh = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, stream));
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram));
	CHECK_OK(listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	CHECK_OK(bind(listener, UNIX("listener")));
	CHECK_OK(listen(listener, 5));
	CHECK_OK(bind(datagram[1], UNIX("bound-datagram")));
	descriptors();
	making();
	names();
	accepting();
	bytes();
	messages();
	options();
	limited();
	return check_done();
}
