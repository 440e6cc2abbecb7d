/* What datagrams of ip(7) and ipv6(7) say beside their addresses: destination, hops, class; asked for by the receiver, chosen by
 * the sender's options and by ancillary data.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../check.h"

static int receiver, sender;
static struct sockaddr_storage place;
static socklen_t place_length;

/* Two sockets, the first one bound; 0 where the host has not this family. */
static int prepare(int family, const char *text)
{
	struct sockaddr_in6 *six = (void *)&place;
	struct sockaddr_in *four = (void *)&place;
	memset(&place, 0, sizeof place);
	place.ss_family = family;
	place_length = family == AF_INET ? sizeof *four : sizeof *six;
	inet_pton(family, text, family == AF_INET ? (void *)&four->sin_addr : (void *)&six->sin6_addr);
	receiver = socket(family, SOCK_DGRAM, 0);
	sender = socket(family, SOCK_DGRAM, 0);
	if (receiver < 0 || bind(receiver, (void *)&place, place_length) != 0)
		return 0;
	CHECK_OK(getsockname(receiver, (void *)&place, &place_length));
	return 1;
}

static void set(int fd, int level, int option, int value)
{
	CHECK_OK(setsockopt(fd, level, option, &value, sizeof value));
}

/* Sends a byte, with one ancillary message of this size unless it is 0. */
static int send_with(int level, int type, const void *data, size_t size)
{
	char byte = 'x', control[64] = "";
	struct iovec range = { &byte, 1 };
	struct msghdr message = { .msg_name = &place, .msg_namelen = place_length, .msg_iov = &range, .msg_iovlen = 1 };
	if (size) {
		struct cmsghdr *one = (void *)control;
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(size);
		one->cmsg_level = level;
		one->cmsg_type = type;
		one->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(one), data, size);
	}
	return sendmsg(sender, &message, 0);
}

static int send_int(int level, int type, int value)
{
	return send_with(level, type, &value, sizeof value);
}

/* Receives it into so much room, and shows what came along. */
static char shown[512];

static const char *received(size_t room)
{
	char byte, control[256];
	struct iovec range = { &byte, 1 };
	struct msghdr message = { .msg_iov = &range, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room };
	char *at = shown;
	*at = 0;
	CHECK_EQ(recvmsg(receiver, &message, 0), 1);
	for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one)) {
		size_t size = one->cmsg_len - CMSG_LEN(0);
		at += sprintf(at, "%d/%d:", one->cmsg_level, one->cmsg_type);
		for (size_t i = 0; i < size; i++)
			at += sprintf(at, "%02x", CMSG_DATA(one)[i]);
		*at++ = ' ';
		*at = 0;
	}
	if (message.msg_flags & MSG_CTRUNC)
		strcpy(at, "cut");
	return shown;
}

static void four(void)
{
	unsigned char class = 0x1c;
	CHECK_OK(send_with(0, 0, NULL, 0));
	CHECK_STR(received(200), "");
	set(receiver, IPPROTO_IP, IP_RECVTTL, 1);
	CHECK_OK(send_with(0, 0, NULL, 0));
	CHECK_STR(received(200), "0/2:40000000 ");
	set(receiver, IPPROTO_IP, IP_RECVTOS, 1);
	set(receiver, IPPROTO_IP, IP_PKTINFO, 1);
	set(sender, IPPROTO_IP, IP_TTL, 9);
	set(sender, IPPROTO_IP, IP_TOS, 0x10);
	CHECK_OK(send_with(0, 0, NULL, 0));
	CHECK_STR(received(200), "0/8:010000007f0000017f000001 0/2:09000000 0/1:10 ");
	CHECK_OK(send_int(IPPROTO_IP, IP_TTL, 200));
	CHECK_STR(received(200), "0/8:010000007f0000017f000001 0/2:c8000000 0/1:10 ");
	CHECK_OK(send_with(IPPROTO_IP, IP_TOS, &class, 1));
	CHECK_STR(received(200), "0/8:010000007f0000017f000001 0/2:09000000 0/1:1c ");
	CHECK_OK(send_int(IPPROTO_IP, IP_TOS, 0x20));
	CHECK_STR(received(CMSG_SPACE(12) + CMSG_SPACE(4)), "0/8:010000007f0000017f000001 0/2:09000000 cut");
	CHECK_ERRNO(send_int(IPPROTO_IP, IP_TTL, 0), EINVAL);
	CHECK_ERRNO(send_int(IPPROTO_IP, IP_TTL, 256), EINVAL);
	CHECK_ERRNO(send_int(IPPROTO_IP, IP_TOS, 256), EINVAL);
	CHECK_ERRNO(send_with(IPPROTO_IP, IP_TTL, &class, 1), EINVAL);
	CHECK_ERRNO(send_int(IPPROTO_IP, 99, 1), EINVAL);
	/* Of another family: not looked at. */
	CHECK_OK(send_int(IPPROTO_IPV6, IPV6_HOPLIMIT, 3));
	CHECK_STR(received(200), "0/8:010000007f0000017f000001 0/2:09000000 0/1:10 ");
	set(sender, IPPROTO_IP, IP_TTL, -1);
	set(receiver, IPPROTO_IP, IP_PKTINFO, 0);
	set(receiver, IPPROTO_IP, IP_RECVTOS, 0);
	CHECK_OK(send_with(0, 0, NULL, 0));
	CHECK_STR(received(200), "0/2:40000000 ");
	/* Asked for after it came. */
	CHECK_OK(send_with(0, 0, NULL, 0));
	set(receiver, IPPROTO_IP, IP_RECVTTL, 0);
	CHECK_STR(received(200), "");
}

static void six(void)
{
	CHECK_OK(send_with(0, 0, NULL, 0));
	CHECK_STR(received(200), "");
	set(receiver, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	set(receiver, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	CHECK_OK(send_with(0, 0, NULL, 0));
	CHECK_STR(received(200), "41/52:40000000 41/67:00000000 ");
	set(receiver, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set(sender, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7);
	set(sender, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
	CHECK_OK(send_with(0, 0, NULL, 0));
	CHECK_STR(received(200), "41/50:0000000000000000000000000000000101000000 41/52:07000000 41/67:20000000 ");
	set(receiver, IPPROTO_IPV6, IPV6_RECVPKTINFO, 0);
	CHECK_OK(send_int(IPPROTO_IPV6, IPV6_HOPLIMIT, 1));
	CHECK_STR(received(200), "41/52:01000000 41/67:20000000 ");
	CHECK_OK(send_int(IPPROTO_IPV6, IPV6_HOPLIMIT, -1));
	CHECK_STR(received(200), "41/52:07000000 41/67:20000000 ");
	CHECK_OK(send_int(IPPROTO_IPV6, IPV6_TCLASS, 255));
	CHECK_STR(received(200), "41/52:07000000 41/67:ff000000 ");
	CHECK_ERRNO(send_int(IPPROTO_IPV6, IPV6_HOPLIMIT, 256), EINVAL);
	CHECK_ERRNO(send_int(IPPROTO_IPV6, IPV6_TCLASS, -2), EINVAL);
	CHECK_ERRNO(send_with(IPPROTO_IPV6, IPV6_HOPLIMIT, "x", 1), EINVAL);
	CHECK_ERRNO(send_int(IPPROTO_IPV6, 120, 1), EINVAL);
}

/* A socket of IPv6 that talks IPv4. */
static void mapped(void)
{
	set(receiver, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set(receiver, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	set(receiver, IPPROTO_IP, IP_RECVTTL, 1);
	set(sender, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7);
	set(sender, IPPROTO_IP, IP_TTL, 8);
	CHECK_OK(send_with(0, 0, NULL, 0));
	CHECK_STR(received(200), "41/50:00000000000000000000ffff7f00000101000000 0/2:08000000 ");
	CHECK_OK(send_int(IPPROTO_IP, IP_TTL, 5));
	CHECK_STR(received(200), "41/50:00000000000000000000ffff7f00000101000000 0/2:05000000 ");
	CHECK_OK(send_int(IPPROTO_IPV6, IPV6_HOPLIMIT, 999));
	CHECK_STR(received(200), "41/50:00000000000000000000ffff7f00000101000000 0/2:08000000 ");
}

int main(void)
{
	if (prepare(AF_INET, "127.0.0.1"))
		four();
	if (prepare(AF_INET6, "::1"))
		six();
	if (prepare(AF_INET6, "::ffff:127.0.0.1"))
		mapped();
	return check_done();
}
