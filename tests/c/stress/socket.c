/* Stress of sockets: of the sandbox's own families and its loopback.
 * @in scratch
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "stress.h"

static char block[100000], got[100000];

/* An address of a family: for unix sockets a name of the worker's own, otherwise the loopback and any port. */
static socklen_t address(int family, struct sockaddr_storage *to, const char *name, int worker)
{
	memset(to, 0, sizeof *to);
	to->ss_family = family;
	if (family == AF_UNIX) {
		struct sockaddr_un *path = (void *)to;
		snprintf(path->sun_path, sizeof path->sun_path, "%s%d", name, worker);
		unlink(path->sun_path);
		return sizeof *path;
	}
	if (family == AF_INET) {
		((struct sockaddr_in *)to)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(struct sockaddr_in);
	}
	((struct sockaddr_in6 *)to)->sin6_addr = in6addr_loopback;
	return sizeof(struct sockaddr_in6);
}

/* A server that gives back what it is sent, and clients that check it. */
static void echo(int family, int type, int worker)
{
	struct sockaddr_storage where;
	socklen_t length = address(family, &where, type == SOCK_STREAM ? "stream" : "packet", worker);
	int server = socket(family, type, 0);
	CHECK_OK(bind(server, (void *)&where, length));
	CHECK_OK(listen(server, 5));
	length = sizeof where;
	CHECK_OK(getsockname(server, (void *)&where, &length));
	pid_t pid = start();
	if (pid == 0) {
		for (int i = 0; i < 20; i++) {
			int fd = socket(family, type, 0);
			CHECK_OK(connect(fd, (void *)&where, length));
			for (int k = 1; k < 20; k++) {
				fill(block, k * 100, k + i);
				CHECK_EQ(send(fd, block, k * 100, 0), k * 100);
				CHECK_EQ(recv(fd, got, k * 100, MSG_WAITALL), k * 100);
				CHECK(is_filled(got, k * 100, k + i));
			}
			CHECK_OK(shutdown(fd, SHUT_WR));
			CHECK_EQ(recv(fd, got, 1, 0), 0);
			close(fd);
		}
		finish();
	}
	for (int i = 0; i < 20; i++) {
		ssize_t n;
		int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
		CHECK_OK(fd);
		while ((n = recv(fd, got, sizeof got, 0)) > 0)
			CHECK_EQ(send(fd, got, n, MSG_NOSIGNAL), n);
		CHECK_EQ(n, 0);
		close(fd);
	}
	CHECK_EQ(ended(pid), 0);
	close(server);
}

static void unix_streams(int worker)
{
	echo(AF_UNIX, SOCK_STREAM, worker);
}

static void unix_packets(int worker)
{
	echo(AF_UNIX, SOCK_SEQPACKET, worker);
}

static void tcp(int worker)
{
	echo(AF_INET, SOCK_STREAM, worker);
}

static void tcp6(int worker)
{
	echo(AF_INET6, SOCK_STREAM, worker);
}

static void datagrams(int family, int worker)
{
	struct sockaddr_storage there, here, from;
	socklen_t length = address(family, &there, "there", worker), other = address(family, &here, "here", worker);
	int a = socket(family, SOCK_DGRAM, 0), b = socket(family, SOCK_DGRAM, 0);
	CHECK_OK(bind(a, (void *)&there, length));
	CHECK_OK(bind(b, (void *)&here, other));
	length = other = sizeof there;
	CHECK_OK(getsockname(a, (void *)&there, &length));
	CHECK_OK(getsockname(b, (void *)&here, &other));
	for (int i = 0; i < 200; i++) {
		fill(block, 100 + i, i + worker);
		CHECK_EQ(sendto(b, block, 100 + i, 0, (void *)&there, length), 100 + i);
		CHECK_EQ(sendto(b, "next", 4, 0, (void *)&there, length), 4);
		socklen_t size = sizeof from;
		CHECK_EQ(recvfrom(a, got, sizeof got, 0, (void *)&from, &size), 100 + i);
		CHECK(is_filled(got, 100 + i, i + worker));
		CHECK_EQ(size, other);
		CHECK(memcmp(&from, &here, other) == 0);
		CHECK_EQ(recv(a, got, 2, MSG_TRUNC), 4);
		CHECK_ERRNO(recv(a, got, 1, MSG_DONTWAIT), EAGAIN);
	}
	close(a), close(b);
}

static void unix_datagrams(int worker)
{
	datagrams(AF_UNIX, worker);
}

static void udp(int worker)
{
	datagrams(AF_INET, worker);
}

static void udp6(int worker)
{
	datagrams(AF_INET6, worker);
}

static void pairs(int worker)
{
	int ends[2];
	for (int i = 0; i < 100; i++) {
		CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
		pid_t pid = start();
		if (pid == 0) {
			close(ends[0]);
			fill(block, 10000, i + worker);
			CHECK_OK(write_all(ends[1], block, 10000));
			finish();
		}
		close(ends[1]);
		CHECK_OK(read_all(ends[0], got, 10000));
		CHECK(is_filled(got, 10000, i + worker));
		CHECK_EQ(read(ends[0], got, 1), 0);
		CHECK_EQ(ended(pid), 0);
		close(ends[0]);
	}
}

static void bulk(int worker)
{
	struct sockaddr_storage where;
	socklen_t length = address(AF_INET, &where, "", worker);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_OK(bind(server, (void *)&where, length));
	CHECK_OK(listen(server, 1));
	CHECK_OK(getsockname(server, (void *)&where, &length));
	pid_t pid = start();
	if (pid == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		CHECK_OK(connect(fd, (void *)&where, length));
		for (int i = 0; i < 50; i++) {
			fill(block, sizeof block, i);
			CHECK_OK(write_all(fd, block, sizeof block));
		}
		close(fd);
		finish();
	}
	int fd = accept(server, NULL, NULL);
	for (int i = 0; i < 50; i++) {
		CHECK_OK(read_all(fd, got, sizeof got));
		CHECK(is_filled(got, sizeof got, i));
	}
	CHECK_EQ(read(fd, got, 1), 0);
	CHECK_EQ(ended(pid), 0);
	close(fd), close(server);
}

static void descriptors(int worker)
{
	int ends[2];
	(void)worker;
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	for (int i = 0; i < 200; i++) {
		int inner[2], received = -1;
		char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
		struct iovec vector = { &i, sizeof i };
		struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		CHECK_OK(pipe(inner));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(header), &inner[0], sizeof(int));
		CHECK_EQ(sendmsg(ends[0], &message, 0), sizeof i);
		close(inner[0]);
		CHECK_EQ(write(inner[1], "x", 1), 1);
		close(inner[1]);
		memset(control, 0, sizeof control);
		CHECK_EQ(recvmsg(ends[1], &message, MSG_CMSG_CLOEXEC), sizeof i);
		header = CMSG_FIRSTHDR(&message);
		CHECK(header && header->cmsg_type == SCM_RIGHTS);
		if (header)
			memcpy(&received, CMSG_DATA(header), sizeof received);
		CHECK_EQ(fcntl(received, F_GETFD), FD_CLOEXEC);
		CHECK_EQ(read(received, got, 10), 1);
		CHECK_EQ(read(received, got, 10), 0);
		close(received);
	}
	close(ends[0]), close(ends[1]);
}

static void batches(int worker)
{
	int ends[2];
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	for (int i = 0; i < 100; i++) {
		struct mmsghdr messages[8] = { 0 };
		struct iovec vectors[8];
		for (int k = 0; k < 8; k++) {
			vectors[k] = (struct iovec){ block + 100 * k, 10 + k };
			messages[k].msg_hdr = (struct msghdr){ .msg_iov = &vectors[k], .msg_iovlen = 1 };
			fill(block + 100 * k, 10 + k, i + k + worker);
		}
		CHECK_EQ(sendmmsg(ends[0], messages, 8, 0), 8);
		memset(block, 0, 1000);
		for (int k = 0; k < 8; k++)
			vectors[k].iov_len = 100;
		CHECK_EQ(recvmmsg(ends[1], messages, 8, MSG_WAITFORONE, NULL), 8);
		for (int k = 0; k < 8; k++) {
			CHECK_EQ(messages[k].msg_len, 10 + k);
			CHECK(is_filled(block + 100 * k, 10 + k, i + k + worker));
		}
	}
	close(ends[0]), close(ends[1]);
}

static void peeks(int worker)
{
	int ends[2];
	(void)worker;
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	for (int i = 0; i < 300; i++) {
		CHECK_EQ(send(ends[0], "abcdef", 6, 0), 6);
		CHECK_EQ(recv(ends[1], got, 3, MSG_PEEK), 3);
		CHECK_EQ(recv(ends[1], got, 100, MSG_PEEK), 6);
		CHECK_EQ(recv(ends[1], got, 2, 0), 2);
		CHECK_EQ(recv(ends[1], got, 100, 0), 4);
		CHECK(memcmp(got, "cdef", 4) == 0);
	}
	close(ends[0]), close(ends[1]);
}

static void crowds(int worker)
{
	/* One server waits for many clients with epoll. */
	struct sockaddr_storage where;
	socklen_t length = address(AF_INET, &where, "", worker);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), over = 0;
	CHECK_OK(bind(server, (void *)&where, length));
	CHECK_OK(listen(server, 50));
	CHECK_OK(getsockname(server, (void *)&where, &length));
	struct epoll_event event = { .events = EPOLLIN, .data.fd = server }, events[10];
	CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event));
	pid_t pids[10];
	for (int i = 0; i < 10; i++)
		if ((pids[i] = start()) == 0) {
			int fd = socket(AF_INET, SOCK_STREAM, 0);
			CHECK_OK(connect(fd, (void *)&where, length));
			for (int k = 0; k < 50; k++) {
				int answer = -1;
				CHECK_OK(write_all(fd, &k, sizeof k));
				CHECK_OK(read_all(fd, &answer, sizeof answer));
				CHECK_EQ(answer, k + 1);
			}
			close(fd);
			finish();
		}
	while (over < 10) {
		int ready = epoll_wait(epoll, events, 10, 50000);
		CHECK(ready > 0);
		for (int i = 0; i < ready; i++) {
			int fd = events[i].data.fd, number;
			if (fd == server) {
				while ((fd = accept(server, NULL, NULL)) >= 0) {
					event = (struct epoll_event){ .events = EPOLLIN | EPOLLRDHUP, .data.fd = fd };
					CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
				}
				CHECK_EQ(errno, EAGAIN);
			} else if (recv(fd, &number, sizeof number, MSG_WAITALL) == sizeof number) {
				number++;
				CHECK_OK(write_all(fd, &number, sizeof number));
			} else {
				over++;
				close(fd);
			}
		}
		if (ready <= 0)
			break;
	}
	for (int i = 0; i < 10; i++)
		CHECK_EQ(ended(pids[i]), 0);
	close(server), close(epoll);
}

static void refused(int worker)
{
	struct sockaddr_storage where;
	socklen_t length = address(AF_INET, &where, "", worker);
	for (int i = 0; i < 100; i++) {
		/* A port that is taken, but where nobody listens. */
		int taken = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
		((struct sockaddr_in *)&where)->sin_port = 0;
		CHECK_OK(bind(taken, (void *)&where, length));
		CHECK_OK(getsockname(taken, (void *)&where, &length));
		CHECK_ERRNO(connect(fd, (void *)&where, length), ECONNREFUSED);
		CHECK_ERRNO(bind(fd, (void *)&where, length), EADDRINUSE);
		close(taken), close(fd);
	}
}

static void options(int worker)
{
	(void)worker;
	for (int i = 0; i < 200; i++) {
		int fd = socket(i % 2 ? AF_INET : AF_INET6, SOCK_STREAM, 0), on = 1, value = -1;
		socklen_t length = sizeof value;
		CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
		CHECK_OK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
		CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
		CHECK_OK(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length));
		CHECK_EQ(value, 1);
		CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
		CHECK_EQ(value, SOCK_STREAM);
		CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length));
		CHECK_EQ(value, 0);
		CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 12345, &value, &length), ENOPROTOOPT);
		close(fd);
	}
}

static const struct stressor stressors[] = {
	{ "unix-streams", unix_streams }, { "unix-packets", unix_packets }, { "unix-datagrams", unix_datagrams },
	{ "tcp", tcp },			  { "tcp6", tcp6 },		    { "udp", udp },
	{ "udp6", udp6 },		  { "pairs", pairs },		    { "bulk", bulk },
	{ "descriptors", descriptors },	  { "batches", batches },	    { "peeks", peeks },
	{ "crowds", crowds },		  { "refused", refused },	    { "options", options },
};

int main(void)
{
	return STRESS(stressors);
}
