/* getaddrinfo(3) of names, by the files of the root.
 * @in chroot
 */
#include <netdb.h>
#include <sys/stat.h>
#include "inet.h"

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

int main(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_INET }, *found;
	struct hostent *host;
	CHECK_OK(mkdir("/etc", 0777));
	put("/etc/hosts", "127.0.0.1 localhost here\n::1 localhost\n");
	put("/etc/services", "echo 7/tcp\n");
	put("/etc/nsswitch.conf", "hosts: files\nservices: files\n");
	CHECK_EQ(getaddrinfo("localhost", "echo", &hints, &found), 0);
	struct sockaddr_in *address = (void *)found->ai_addr;
	CHECK_EQ(ntohl(address->sin_addr.s_addr), INADDR_LOOPBACK);
	CHECK_EQ(ntohs(address->sin_port), 7);
	freeaddrinfo(found);
	CHECK_EQ(getaddrinfo("nowhere.invalid", "80", &hints, &found), EAI_NONAME);
	host = gethostbyname("here");
	CHECK(host != NULL);
	CHECK_STR(host->h_name, "localhost");
	struct servent *service = getservbyname("echo", "tcp");
	CHECK(service && ntohs(service->s_port) == 7);
	return check_done();
}
