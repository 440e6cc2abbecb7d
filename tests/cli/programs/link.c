/* link serve FILE: listens on the loopback, writes the port to FILE, prints what one caller says.
 * link call PORT: connects, says hello. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	char text[64];
	if (argc != 3)
		return 2;
	alarm(20);
	if (!strcmp(argv[1], "serve")) {
		bind(fd, (struct sockaddr *)&at, sizeof at);
		listen(fd, 1);
		getsockname(fd, (struct sockaddr *)&at, &size);
		FILE *file = fopen(argv[2], "w");
		fprintf(file, "%d\n", ntohs(at.sin_port));
		fclose(file);
		int caller = accept(fd, NULL, NULL);
		ssize_t count = read(caller, text, sizeof text);
		printf("heard %.*s\n", (int)count, text);
		return 0;
	}
	at.sin_port = htons(atoi(argv[2]));
	if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
		printf("connect: %s\n", strerror(errno));
		return 1;
	}
	write(fd, "hello", 5);
	puts("connected");
	return 0;
}
