/* The list of interfaces: getifaddrs(3), if_nameindex(3), if_nametoindex(3); numeric getaddrinfo(3). */
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/ioctl.h>
#include "inet.h"

int main(void)
{
	struct ifaddrs *all = NULL;
	CHECK_OK(getifaddrs(&all));
	int v4 = 0, v6 = 0;
	for (struct ifaddrs *one = all; one; one = one->ifa_next) {
		if (strcmp(one->ifa_name, "lo") != 0 || !one->ifa_addr)
			continue;
		CHECK(one->ifa_flags & IFF_LOOPBACK);
		CHECK(one->ifa_flags & IFF_UP);
		if (one->ifa_addr->sa_family == AF_INET) {
			struct sockaddr_in *address = (void *)one->ifa_addr, *mask = (void *)one->ifa_netmask;
			v4 += ntohl(address->sin_addr.s_addr) == INADDR_LOOPBACK;
			CHECK_EQ(ntohl(mask->sin_addr.s_addr), 0xff000000);
		}
		if (one->ifa_addr->sa_family == AF_INET6)
			v6++;
	}
	CHECK_EQ(v4, 1);
	CHECK(v6 <= 1);
	freeifaddrs(all);
	struct if_nameindex *names = if_nameindex();
	CHECK(names != NULL);
	CHECK_STR(names[0].if_name, "lo");
	CHECK_EQ(names[0].if_index, 1);
	if_freenameindex(names);
	CHECK_EQ(if_nametoindex("lo"), 1);
	char name[IF_NAMESIZE];
	CHECK_STR(if_indextoname(1, name), "lo");
	CHECK_EQ(if_nametoindex("no such one"), 0);

	/* What `ip link` and ifconfig ask for. */
	struct ifreq request = { .ifr_name = "lo" };
	int any = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_OK(ioctl(any, SIOCGIFMTU, &request));
	CHECK(request.ifr_mtu >= 1500);
	CHECK_OK(ioctl(any, SIOCGIFTXQLEN, &request));
	CHECK(request.ifr_qlen >= 0);
	strcpy(request.ifr_name, "absent");
	CHECK_ERRNO(ioctl(any, SIOCGIFTXQLEN, &request), ENODEV);
	CHECK_OK(close(any));

	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found;
	CHECK_EQ(getaddrinfo("127.0.0.1", "80", &hints, &found), 0);
	CHECK_EQ(found->ai_family, AF_INET);
	CHECK_EQ(((struct sockaddr_in *)found->ai_addr)->sin_port, htons(80));
	freeaddrinfo(found);
	CHECK_EQ(getaddrinfo("::1", "80", &hints, &found), 0);
	CHECK_EQ(found->ai_family, AF_INET6);
	freeaddrinfo(found);
	CHECK_EQ(getaddrinfo("no number", "80", &hints, &found), EAI_NONAME);
	hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
	hints.ai_family = AF_INET;
	CHECK_EQ(getaddrinfo(NULL, "0", &hints, &found), 0);
	int fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
	CHECK_OK(bind(fd, found->ai_addr, found->ai_addrlen));
	CHECK_OK(listen(fd, 1));
	freeaddrinfo(found);
	return check_done();
}
