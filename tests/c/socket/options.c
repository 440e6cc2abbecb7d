/* getsockopt(2) and setsockopt(2): values, ranges, time limits. */
#include <netinet/tcp.h>
#include <sys/time.h>
#include "inet.h"

static int get(int fd, int level, int option)
{
	int value = -77;
	socklen_t size = sizeof value;
	CHECK_OK(getsockopt(fd, level, option, &value, &size));
	CHECK_EQ(size, sizeof value);
	return value;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

static void limits(int fd)
{
	struct timeval limit = { 0, 30000 };
	char byte;
	socklen_t size = sizeof limit;
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
	limit.tv_usec = 0;
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &size));
	CHECK_EQ(size, sizeof limit);
	CHECK(limit.tv_sec == 0 && limit.tv_usec >= 30000 && limit.tv_usec < 45000);
	CHECK_ERRNO(recv(fd, &byte, 1, 0), EAGAIN);
	CHECK_ERRNO(read(fd, &byte, 1), EAGAIN);
	limit.tv_sec = 100000000000LL;
	limit.tv_usec = 2000000;
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), EDOM);
	limit.tv_sec = 0;
	limit.tv_usec = 0;
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, 3), EINVAL);
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
}

int main(void)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
	int six = socket(AF_INET6, SOCK_STREAM, 0), pair[2];
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	CHECK_EQ(get(tcp, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	CHECK_EQ(get(udp, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
	CHECK_EQ(get(tcp, SOL_SOCKET, SO_DOMAIN), AF_INET);
	CHECK_EQ(get(pair[0], SOL_SOCKET, SO_DOMAIN), AF_UNIX);
	CHECK_EQ(get(tcp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	CHECK_EQ(get(udp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
	CHECK_EQ(get(tcp, SOL_SOCKET, SO_ERROR), 0);
	CHECK_EQ(get(tcp, SOL_SOCKET, SO_ACCEPTCONN), 0);
	CHECK_ERRNO(set(tcp, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
	CHECK_ERRNO(set(tcp, SOL_SOCKET, SO_ERROR, 1), ENOPROTOOPT);

	static const int switches[] = { SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_BROADCAST, SO_OOBINLINE, SO_DONTROUTE };
	for (unsigned i = 0; i < sizeof switches / sizeof *switches; i++) {
		CHECK_EQ(get(tcp, SOL_SOCKET, switches[i]), 0);
		CHECK_OK(set(tcp, SOL_SOCKET, switches[i], 7));
		CHECK_EQ(get(tcp, SOL_SOCKET, switches[i]), 1);
		CHECK_OK(set(tcp, SOL_SOCKET, switches[i], 0));
		CHECK_EQ(get(tcp, SOL_SOCKET, switches[i]), 0);
	}
	struct linger linger = { 1, 5 };
	socklen_t size = sizeof linger;
	CHECK_OK(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, size));
	linger.l_linger = 0;
	CHECK_OK(getsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, &size));
	CHECK(linger.l_onoff == 1 && linger.l_linger == 5);
	linger.l_onoff = 0;
	CHECK_OK(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, size));
	CHECK_OK(set(pair[0], SOL_SOCKET, SO_SNDBUF, 20000));
	CHECK_EQ(get(pair[0], SOL_SOCKET, SO_SNDBUF), 40000);
	CHECK_OK(set(udp, SOL_SOCKET, SO_RCVBUF, 20000));
	CHECK_EQ(get(udp, SOL_SOCKET, SO_RCVBUF), 40000);
	CHECK_OK(set(tcp, SOL_SOCKET, SO_PRIORITY, 5));
	CHECK_EQ(get(tcp, SOL_SOCKET, SO_PRIORITY), 5);

	CHECK_OK(set(tcp, IPPROTO_TCP, TCP_NODELAY, 1));
	CHECK_EQ(get(tcp, IPPROTO_TCP, TCP_NODELAY), 1);
	CHECK_OK(set(tcp, IPPROTO_TCP, TCP_KEEPIDLE, 11));
	CHECK_EQ(get(tcp, IPPROTO_TCP, TCP_KEEPIDLE), 11);
	CHECK_OK(set(tcp, IPPROTO_TCP, TCP_KEEPINTVL, 12));
	CHECK_OK(set(tcp, IPPROTO_TCP, TCP_KEEPCNT, 13));
	CHECK_EQ(get(tcp, IPPROTO_TCP, TCP_KEEPCNT), 13);
	CHECK_ERRNO(set(tcp, IPPROTO_TCP, TCP_KEEPCNT, 1000), EINVAL);
	CHECK_ERRNO(set(udp, IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
	CHECK_ERRNO(set(pair[0], IPPROTO_TCP, TCP_NODELAY, 1), EOPNOTSUPP);
	CHECK_ERRNO(set(tcp, IPPROTO_TCP, 999, 1), ENOPROTOOPT);
	CHECK_ERRNO(set(tcp, SOL_SOCKET, 999, 1), ENOPROTOOPT);
	CHECK_ERRNO(set(tcp, 999, 1, 1), ENOPROTOOPT);
	CHECK_ERRNO(getsockopt(tcp, SOL_SOCKET, 999, &linger, &size), ENOPROTOOPT);
	struct tcp_info info;
	size = sizeof info;
	memset(&info, 0, sizeof info);
	CHECK_OK(getsockopt(tcp, IPPROTO_TCP, TCP_INFO, &info, &size));
	CHECK_EQ(info.tcpi_state, TCP_CLOSE);

	CHECK_OK(set(tcp, IPPROTO_IP, IP_TTL, 33));
	CHECK_EQ(get(tcp, IPPROTO_IP, IP_TTL), 33);
	CHECK_ERRNO(set(tcp, IPPROTO_IP, IP_TTL, 300), EINVAL);
	CHECK_OK(set(udp, IPPROTO_IP, IP_TOS, 0x10));
	CHECK_EQ(get(udp, IPPROTO_IP, IP_TOS), 0x10);
	CHECK_OK(set(udp, IPPROTO_IP, IP_PKTINFO, 1));
	if (has_ipv6()) {
		CHECK_EQ(get(six, IPPROTO_IPV6, IPV6_V6ONLY), 0);
		CHECK_OK(set(six, IPPROTO_IPV6, IPV6_V6ONLY, 1));
		CHECK_EQ(get(six, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	}
	CHECK_ERRNO(set(tcp, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);

	int value = 0;
	CHECK_ERRNO(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &value, 2), EINVAL);
	CHECK_ERRNO(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, (void *)16, 4), EFAULT);
	CHECK_ERRNO(setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &value, 4), ENOTSOCK);
	CHECK_ERRNO(setsockopt(99, SOL_SOCKET, SO_REUSEADDR, &value, 4), EBADF);
	/* A value that is cut off. */
	unsigned char byte = 0;
	size = 1;
	CHECK_OK(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &byte, &size));
	CHECK_EQ(byte, SOCK_STREAM);
	CHECK_EQ(size, 1);
	limits(pair[0]);
	struct address at = loopback(AF_INET, 0);
	CHECK_OK(bind(udp, &at.any, at.length));
	limits(udp);
	/* Waiting for a connection has the same limit. */
	struct timeval limit = { 0, 20000 };
	int listener = listening(AF_INET, &at);
	CHECK_OK(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
	CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
	return check_done();
}
