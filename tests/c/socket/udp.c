/* Datagrams of IPv4 and IPv6 over the loopback, one by one and many at once. */
#include <poll.h>
#include <sys/ioctl.h>
#include "inet.h"

static char big[70000];

static int bound(int family, struct address *at)
{
	int fd = socket(family, SOCK_DGRAM, 0);
	struct address a = loopback(family, 0);
	CHECK_OK(bind(fd, &a.any, a.length));
	*at = name_of(fd);
	return fd;
}

static void talk(int family)
{
	struct address at, from = { .length = sizeof from.room };
	char buffer[32];
	int count, server = bound(family, &at), client = socket(family, SOCK_DGRAM, 0);
	CHECK_EQ(sendto(client, "question", 8, 0, &at.any, at.length), 8);
	CHECK_OK(ioctl(server, FIONREAD, &count));
	CHECK_EQ(count, 8);
	CHECK_EQ(recvfrom(server, buffer, sizeof buffer, MSG_PEEK, &from.any, &from.length), 8);
	struct address own = name_of(client);
	CHECK_EQ(port_of(&own), port_of(&from));
	from.length = sizeof from.room;
	CHECK_EQ(recvfrom(server, buffer, 4, 0, &from.any, &from.length), 4);
	CHECK_EQ(sendto(server, "answer", 6, 0, &from.any, from.length), 6);
	CHECK_EQ(read(client, buffer, sizeof buffer), 6);
	CHECK_ERRNO(send(client, "x", 1, 0), EDESTADDRREQ);
	CHECK_ERRNO(recv(client, buffer, 1, MSG_DONTWAIT), EAGAIN);
	/* Nothing at all is a datagram as well. */
	CHECK_EQ(sendto(client, "", 0, 0, &at.any, at.length), 0);
	struct pollfd polled = { server, POLLIN, 0 };
	CHECK_EQ(poll(&polled, 1, 1000), 1);
	CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0);

	CHECK_OK(connect(client, &at.any, at.length));
	own = name_of(client);
	CHECK_OK(connect(server, &own.any, own.length));
	CHECK_EQ(write(client, "connected", 9), 9);
	CHECK_EQ(recv(server, buffer, 4, MSG_TRUNC), 9);
	/* From nobody else. */
	int third = socket(family, SOCK_DGRAM, 0);
	CHECK_EQ(sendto(third, "x", 1, 0, &at.any, at.length), 1);
	CHECK_EQ(poll(&polled, 1, 20), 0);
	struct address none = { .length = sizeof none.v4, .any.sa_family = AF_UNSPEC };
	CHECK_OK(connect(server, &none.any, none.length));
	CHECK_ERRNO(getpeername(server, &none.any, &none.length), ENOTCONN);
	CHECK_ERRNO(listen(server, 1), EOPNOTSUPP);

	/* A port that nobody has. */
	close(server);
	CHECK_EQ(send(client, "lost", 4, 0), 4);
	polled.fd = client;
	CHECK_EQ(poll(&polled, 1, 1000), 1);
	CHECK_ERRNO(recv(client, buffer, 4, 0), ECONNREFUSED);
	CHECK_ERRNO(sendto(third, big, sizeof big, 0, &at.any, at.length), EMSGSIZE);
	close(client);
	close(third);
}

#define MANY 20

static void many(void)
{
	struct address at;
	int server = bound(AF_INET, &at), client = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_OK(connect(client, &at.any, at.length));
	struct mmsghdr messages[MANY + 4];
	struct iovec parts[MANY + 4];
	char text[MANY + 4][16];
	memset(messages, 0, sizeof messages);
	for (int i = 0; i < MANY; i++) {
		parts[i].iov_base = text[i];
		parts[i].iov_len = sprintf(text[i], "message %d", i);
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK_EQ(sendmmsg(client, messages, MANY, 0), MANY);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(messages[i].msg_len, strlen(text[i]));
	struct address from[MANY];
	for (int i = 0; i < MANY; i++) {
		memset(text[i], 0, sizeof text[i]);
		parts[i].iov_len = sizeof text[i];
		messages[i].msg_hdr.msg_name = &from[i].any;
		messages[i].msg_hdr.msg_namelen = sizeof from[i].room;
	}
	CHECK_EQ(recvmmsg(server, messages, 4, 0, NULL), 4);
	CHECK_EQ(recvmmsg(server, messages + 4, MANY, MSG_WAITFORONE, NULL), MANY - 4);
	char wanted[16];
	for (int i = 0; i < MANY; i++) {
		sprintf(wanted, "message %d", i);
		CHECK_STR(text[i], wanted);
		CHECK_EQ(messages[i].msg_len, strlen(wanted));
		CHECK_EQ(messages[i].msg_hdr.msg_namelen, sizeof(struct sockaddr_in));
	}
	struct timespec limit = { 0, 0 };
	CHECK_ERRNO(recvmmsg(server, messages, 1, MSG_DONTWAIT, &limit), EAGAIN);
	limit.tv_nsec = -1;
	CHECK_ERRNO(recvmmsg(server, messages, 1, 0, &limit), EINVAL);
	messages[0].msg_hdr.msg_iovlen = 2000;
	CHECK_ERRNO(sendmmsg(client, messages, 1, 0), EMSGSIZE);
	close(server);
	close(client);
}

int main(void)
{
	talk(AF_INET);
	if (has_ipv6())
		talk(AF_INET6);
	many();
	return check_done();
}
