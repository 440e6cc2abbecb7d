/* The interface for datagrams to groups: the loopback, by its address or its number, or none in particular. */
#include <net/if.h>
#include "inet.h"

static int set(int fd, const void *value, socklen_t length)
{
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, value, length);
}

static in_addr_t get(int fd)
{
	struct in_addr found = { 1 };
	socklen_t length = sizeof found;
	CHECK_OK(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &found, &length));
	CHECK_EQ(length, sizeof found);
	return ntohl(found.s_addr);
}

int main(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ(get(fd), INADDR_ANY);
	struct in_addr any = { htonl(INADDR_ANY) }, here = { htonl(INADDR_LOOPBACK) }, away = { htonl(0xc0000201) };
	CHECK_OK(set(fd, &here, sizeof here));
	CHECK_EQ(get(fd), INADDR_LOOPBACK);
	CHECK_OK(set(fd, &any, sizeof any));
	CHECK_EQ(get(fd), INADDR_ANY);
	CHECK_ERRNO(set(fd, &away, sizeof away), EADDRNOTAVAIL);
	CHECK_ERRNO(set(fd, &here, 3), EINVAL);
	struct ip_mreq pair = { .imr_interface = here };
	CHECK_OK(set(fd, &pair, sizeof pair));
	CHECK_EQ(get(fd), INADDR_LOOPBACK);
	struct ip_mreqn full = { .imr_ifindex = if_nametoindex("lo") };
	CHECK_OK(set(fd, &full, sizeof full));
	full.imr_ifindex = 0x7fffff;
	CHECK_ERRNO(set(fd, &full, sizeof full), EADDRNOTAVAIL);
	int stream = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERRNO(set(stream, &here, sizeof here), EINVAL);
	close(stream);
	close(fd);
	return check_done();
}
