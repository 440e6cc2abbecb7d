/* What connect(2) gives to the name of a datagram socket, and what undoing the connection takes back; getaddrinfo(3), which
 * asks for source addresses this way. */
#include <netdb.h>
#include "inet.h"

static const struct address none = { .any.sa_family = AF_UNSPEC, .length = sizeof(struct sockaddr) };

static void check_name(int fd, struct address *wanted, int with_port)
{
	struct address name = name_of(fd);
	CHECK_EQ(port_of(&name) != 0, with_port);
	if (wanted->any.sa_family == AF_INET6)
		wanted->v6.sin6_port = name.v6.sin6_port;
	else
		wanted->v4.sin_port = name.v4.sin_port;
	CHECK(is_same(&name, wanted));
}

/* An address of IPv4 as a socket of IPv6 shows it. */
static struct address mapped(void)
{
	struct address a = loopback(AF_INET6, 0);
	CHECK_EQ(inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.v6.sin6_addr), 1);
	return a;
}

static void not_bound(int family)
{
	struct address to = loopback(family, 9), own = loopback(family, 0), any = anywhere(family, 0);
	int fd = socket(family, SOCK_DGRAM, 0);
	check_name(fd, &any, 0);
	for (int i = 0; i < 2; i++) {
		CHECK_OK(connect(fd, &to.any, to.length));
		check_name(fd, &own, 1);
		CHECK_OK(connect(fd, &none.any, none.length));
		check_name(fd, &any, 0);
	}
	close(fd);
}

static void bound(int family)
{
	struct address to = loopback(family, 9), own = loopback(family, 0), any = anywhere(family, 0);
	/* A port that was free. */
	int fd = socket(family, SOCK_DGRAM, 0);
	CHECK_OK(bind(fd, &own.any, own.length));
	struct address at = name_of(fd);
	close(fd);
	/* The port was asked for, the address was not. */
	struct address port = anywhere(family, port_of(&at));
	fd = socket(family, SOCK_DGRAM, 0);
	CHECK_OK(bind(fd, &port.any, port.length));
	CHECK_OK(connect(fd, &to.any, to.length));
	check_name(fd, &at, 1);
	CHECK_OK(connect(fd, &none.any, none.length));
	check_name(fd, &any, 1);
	at = name_of(fd);
	CHECK_EQ(port_of(&at), port_of(&port));
	close(fd);
	/* Both were. */
	fd = socket(family, SOCK_DGRAM, 0);
	at = loopback(family, port_of(&port));
	CHECK_OK(bind(fd, &at.any, at.length));
	CHECK_OK(connect(fd, &to.any, to.length));
	CHECK_OK(connect(fd, &none.any, none.length));
	check_name(fd, &own, 1);
	close(fd);
}

/* A socket of IPv6 that is connected to addresses of both families, as they are. */
static void both_families(void)
{
	struct address six = loopback(AF_INET6, 9), four = loopback(AF_INET, 9), own = loopback(AF_INET6, 0), old = mapped();
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	CHECK_OK(connect(fd, &six.any, six.length));
	check_name(fd, &own, 1);
	CHECK_OK(connect(fd, &none.any, none.length));
	CHECK_OK(connect(fd, &four.any, four.length));
	check_name(fd, &old, 1);
	CHECK_OK(connect(fd, &none.any, none.length));
	CHECK_OK(connect(fd, &six.any, six.length));
	check_name(fd, &own, 1);
	close(fd);
	/* Streams of IPv6 take addresses of IPv6 only. */
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_ERRNO(connect(fd, &four.any, four.length), EINVAL);
	close(fd);
}

static void sorted(void)
{
	struct addrinfo wanted = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *found;
	CHECK_EQ(getaddrinfo(NULL, "1", &wanted, &found), 0);
	CHECK(found != NULL);
	freeaddrinfo(found);
	wanted.ai_flags = 0;
	CHECK_EQ(getaddrinfo(NULL, "1", &wanted, &found), 0);
	CHECK(found != NULL);
	freeaddrinfo(found);
}

int main(void)
{
	not_bound(AF_INET);
	bound(AF_INET);
	if (has_ipv6()) {
		not_bound(AF_INET6);
		bound(AF_INET6);
		both_families();
	}
	sorted();
	return check_done();
}
