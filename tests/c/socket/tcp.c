/* Streams of IPv4 and IPv6 over the loopback. */
#include <poll.h>
#include <sys/ioctl.h>
#include "inet.h"

static void talk(int family)
{
	struct address at, from = { .length = sizeof from.room };
	int listener = listening(family, &at);
	pid_t pid = start();
	if (pid == 0) {
		char buffer[4];
		int fd = socket(family, SOCK_STREAM, IPPROTO_TCP);
		CHECK_OK(connect(fd, &at.any, at.length));
		CHECK_ERRNO(connect(fd, &at.any, at.length), EISCONN);
		struct address peer = peer_of(fd), own = name_of(fd);
		CHECK(is_same(&peer, &at));
		CHECK(port_of(&own) != 0);
		int port = htons(port_of(&own));
		CHECK_EQ(write(fd, &port, sizeof port), sizeof port);
		CHECK_EQ(recv(fd, buffer, 4, MSG_WAITALL), 4);
		/* The end of what is sent, and still the other way. */
		CHECK_OK(shutdown(fd, SHUT_WR));
		CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
		CHECK_EQ(recv(fd, buffer, 4, MSG_WAITALL), 4);
		CHECK_EQ(memcmp(buffer, "late", 4), 0);
		CHECK_EQ(read(fd, buffer, 4), 0);
		finish();
	}
	int fd = accept(listener, &from.any, &from.length);
	CHECK_OK(fd);
	CHECK_EQ(from.any.sa_family, family);
	struct address peer = peer_of(fd), own = name_of(fd);
	CHECK(is_same(&peer, &from));
	CHECK(is_same(&own, &at));
	int port, count;
	CHECK_EQ(recv(fd, &port, sizeof port, MSG_WAITALL), sizeof port);
	CHECK_EQ(ntohs(port), port_of(&from));
	CHECK_EQ(write(fd, "an", 2), 2);
	usleep(10000);
	CHECK_EQ(write(fd, "sw", 2), 2);
	char buffer[8];
	CHECK_EQ(read(fd, buffer, sizeof buffer), 0);
	CHECK_OK(ioctl(fd, FIONREAD, &count));
	CHECK_EQ(count, 0);
	CHECK_EQ(send(fd, "late", 4, 0), 4);
	close(fd);
	CHECK_EQ(ended(pid), 0);
	close(listener);
}

static void refused(int family)
{
	struct address at;
	int listener = listening(family, &at);
	close(listener);
	int fd = socket(family, SOCK_STREAM, 0);
	CHECK_ERRNO(connect(fd, &at.any, at.length), ECONNREFUSED);
	close(fd);
	/* Without waiting: the answer comes later. */
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_ERRNO(connect(fd, &at.any, at.length), EINPROGRESS);
	struct pollfd polled = { fd, POLLOUT, 0 };
	CHECK_EQ(poll(&polled, 1, 5000), 1);
	CHECK(polled.revents & POLLOUT);
	int error = 0;
	socklen_t size = sizeof error;
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
	CHECK_EQ(error, ECONNREFUSED);
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
	CHECK_EQ(error, 0);
	close(fd);
}

static void later(int family)
{
	struct address at;
	int listener = listening(family, &at);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_ERRNO(connect(fd, &at.any, at.length), EINPROGRESS);
	struct pollfd polled = { fd, POLLOUT, 0 };
	CHECK_EQ(poll(&polled, 1, 5000), 1);
	CHECK_EQ(polled.revents, POLLOUT);
	int error = 7;
	socklen_t size = sizeof error;
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
	CHECK_EQ(error, 0);
	CHECK_OK(connect(fd, &at.any, at.length));
	CHECK_ERRNO(connect(fd, &at.any, at.length), EISCONN);
	char byte;
	CHECK_ERRNO(read(fd, &byte, 1), EAGAIN);
	int other = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	CHECK(fcntl(other, F_GETFL) & O_NONBLOCK);
	CHECK_EQ(write(other, "x", 1), 1);
	polled.events = POLLIN;
	CHECK_EQ(poll(&polled, 1, 5000), 1);
	CHECK_EQ(read(fd, &byte, 1), 1);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
	close(other);
	close(fd);
	close(listener);
}

static void ports(int family)
{
	struct address at;
	int listener = listening(family, &at), on = 1;
	int second = socket(family, SOCK_STREAM, 0);
	CHECK_ERRNO(bind(second, &at.any, at.length), EADDRINUSE);
	struct address all = anywhere(family, port_of(&at));
	CHECK_ERRNO(bind(second, &all.any, all.length), EADDRINUSE);
	CHECK_OK(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
	CHECK_ERRNO(bind(second, &at.any, at.length), EADDRINUSE);
	close(listener);
	CHECK_OK(bind(second, &at.any, at.length));
	CHECK_ERRNO(bind(second, &at.any, at.length), EINVAL);
	CHECK_OK(listen(second, 1));
	close(second);
	/* A listener for every address, and one without a name. */
	int fd = socket(family, SOCK_STREAM, 0), wild = socket(family, SOCK_STREAM, 0);
	all = anywhere(family, 0);
	CHECK_OK(bind(wild, &all.any, all.length));
	CHECK_OK(listen(wild, 1));
	struct address got = name_of(wild), to = loopback(family, port_of(&got));
	CHECK_OK(connect(fd, &to.any, to.length));
	int other = accept(wild, NULL, NULL);
	got = name_of(other);
	CHECK(is_same(&got, &to));
	close(fd);
	close(other);
	close(wild);
	wild = socket(family, SOCK_STREAM, 0);
	CHECK_OK(listen(wild, 1));
	got = name_of(wild);
	CHECK(port_of(&got) != 0);
	close(wild);
	/* Sharing a port. */
	int pair[2];
	at = loopback(family, 0);
	for (int i = 0; i < 2; i++) {
		pair[i] = socket(family, SOCK_STREAM, 0);
		CHECK_OK(setsockopt(pair[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
		CHECK_OK(bind(pair[i], &at.any, at.length));
		at = name_of(pair[i]);
		CHECK_OK(listen(pair[i], 1));
	}
	close(pair[0]);
	fd = socket(family, SOCK_STREAM, 0);
	CHECK_OK(connect(fd, &at.any, at.length));
	close(fd);
	close(pair[1]);
}

static void unconnected(int family)
{
	struct address at = loopback(family, 1);
	char byte;
	int fd = socket(family, SOCK_STREAM, 0);
	CHECK_ERRNO(recv(fd, &byte, 1, 0), ENOTCONN);
	CHECK_ERRNO(send(fd, &byte, 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERRNO(shutdown(fd, SHUT_RDWR), ENOTCONN);
	CHECK_ERRNO(shutdown(fd, 9), EINVAL);
	CHECK_ERRNO(getpeername(fd, &at.any, &at.length), ENOTCONN);
	CHECK_ERRNO(accept(fd, NULL, NULL), EINVAL);
	at.any.sa_family = AF_UNIX;
	CHECK_ERRNO(bind(fd, &at.any, at.length), EAFNOSUPPORT);
	CHECK_ERRNO(connect(fd, &at.any, at.length), EAFNOSUPPORT);
	CHECK_ERRNO(connect(fd, &at.any, 1), EINVAL);
	at = loopback(family, 1);
	CHECK_ERRNO(bind(fd, &at.any, 8), EINVAL);
	if (family == AF_INET) {
		at.v4.sin_addr.s_addr = htonl(0xc0000201);
		CHECK_ERRNO(bind(fd, &at.any, at.length), EADDRNOTAVAIL);
	}
	struct address name = name_of(fd);
	CHECK_EQ(port_of(&name), 0);
	close(fd);
}

/* A listener of IPv6 for every address takes connections of IPv4 as well. */
static void both(void)
{
	int wild = socket(AF_INET6, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	struct address all = anywhere(AF_INET6, 0);
	CHECK_OK(bind(wild, &all.any, all.length));
	CHECK_OK(listen(wild, 2));
	all = name_of(wild);
	struct address to = loopback(AF_INET, port_of(&all)), from = { .length = sizeof from.room };
	CHECK_OK(connect(fd, &to.any, to.length));
	int other = accept(wild, &from.any, &from.length);
	CHECK_EQ(from.any.sa_family, AF_INET6);
	CHECK(IN6_IS_ADDR_V4MAPPED(&from.v6.sin6_addr));
	close(fd);
	close(other);
	close(wild);
	int on = 1;
	wild = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_OK(setsockopt(wild, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
	all = anywhere(AF_INET6, 0);
	CHECK_OK(bind(wild, &all.any, all.length));
	CHECK_OK(listen(wild, 2));
	all = name_of(wild);
	to = loopback(AF_INET, port_of(&all));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERRNO(connect(fd, &to.any, to.length), ECONNREFUSED);
	close(fd);
	close(wild);
}

int main(void)
{
	int families[] = { AF_INET, AF_INET6 };
	int count = has_ipv6() ? 2 : 1;
	for (int i = 0; i < count; i++) {
		talk(families[i]);
		refused(families[i]);
		later(families[i]);
		ports(families[i]);
		unconnected(families[i]);
	}
	if (count == 2)
		both();
	CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, 999), EINVAL);
	CHECK_ERRNO(socket(AF_INET, 99, 0), EINVAL);
	CHECK_ERRNO(socket(AF_MAX + 1, SOCK_STREAM, 0), EAFNOSUPPORT);
	return check_done();
}
