/* Addresses of the loopback for tests of IPv4 and IPv6. */
#ifndef INET_H
#define INET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "../process.h"

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	};
	socklen_t length;
};

/* The loopback address of a family, with a port. */
static inline struct address loopback(int family, int port)
{
	struct address a;
	memset(&a, 0, sizeof a);
	a.any.sa_family = family;
	if (family == AF_INET) {
		a.v4.sin_port = htons(port);
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a.length = sizeof a.v4;
	} else {
		a.v6.sin6_port = htons(port);
		a.v6.sin6_addr = in6addr_loopback;
		a.length = sizeof a.v6;
	}
	return a;
}

/* Every address of a family. */
static inline struct address anywhere(int family, int port)
{
	struct address a = loopback(family, port);
	if (family == AF_INET)
		a.v4.sin_addr.s_addr = htonl(INADDR_ANY);
	else
		a.v6.sin6_addr = in6addr_any;
	return a;
}

static inline int port_of(const struct address *a)
{
	return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

/* Whether this machine has a loopback of IPv6. */
static inline int has_ipv6(void)
{
	struct address a = loopback(AF_INET6, 0);
	int fd = socket(AF_INET6, SOCK_STREAM, 0), has = fd >= 0 && bind(fd, &a.any, a.length) == 0;
	if (fd >= 0)
		close(fd);
	return has;
}

/* The name of a socket, or of its peer. */
static inline struct address name_of(int fd)
{
	struct address a = { .length = sizeof a.room };
	CHECK_OK(getsockname(fd, &a.any, &a.length));
	return a;
}

static inline struct address peer_of(int fd)
{
	struct address a = { .length = sizeof a.room };
	CHECK_OK(getpeername(fd, &a.any, &a.length));
	return a;
}

static inline int is_same(const struct address *a, const struct address *b)
{
	return a->length == b->length && memcmp(&a->room, &b->room, a->length) == 0;
}

/* A stream that listens at a free port of the loopback. */
static inline int listening(int family, struct address *at)
{
	int fd = socket(family, SOCK_STREAM, 0);
	struct address a = loopback(family, 0);
	CHECK_OK(fd);
	CHECK_OK(bind(fd, &a.any, a.length));
	CHECK_OK(listen(fd, 8));
	*at = name_of(fd);
	CHECK(port_of(at) != 0);
	return fd;
}

#endif
