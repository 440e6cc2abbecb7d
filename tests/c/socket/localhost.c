/* localhost has addresses, whatever files there are. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check.h"

static int is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
	return ((const struct sockaddr_in *)address)->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

int main(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char name[NI_MAXHOST] = "";
	CHECK_EQ(getaddrinfo("localhost", "80", &hints, &found), 0);
	CHECK(found != NULL);
	for (struct addrinfo *at = found; at; at = at->ai_next)
		CHECK(is_loopback(at->ai_addr));
	if (found) {
		CHECK_EQ(getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof name, NULL, 0, 0), 0);
		CHECK(strstr(name, "localhost") != NULL);
		freeaddrinfo(found);
	}
	hints.ai_family = AF_INET;
	CHECK_EQ(getaddrinfo("localhost", NULL, &hints, &found), 0);
	CHECK(found && found->ai_family == AF_INET);
	freeaddrinfo(found);
	struct hostent *host = gethostbyname("localhost");
	CHECK(host && host->h_addrtype == AF_INET && host->h_length == 4);
	CHECK(host && *(in_addr_t *)host->h_addr_list[0] == htonl(INADDR_LOOPBACK));
	return check_done();
}
