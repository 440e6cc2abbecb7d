/* MSG_FASTOPEN: connects a TCP stream and sends in one call. */
#include <signal.h>
#include "inet.h"

int main(void)
{
	struct address at;
	char buffer[16];
	signal(SIGPIPE, SIG_IGN);
	int listener = listening(AF_INET, &at), fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERRNO(send(fd, "text", 4, MSG_FASTOPEN), EINVAL);
	CHECK_ERRNO(send(fd, "text", 4, 0), EPIPE);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(sendto(fd, "text", 4, MSG_FASTOPEN, &at.any, at.length), 4);
	int other = accept(listener, NULL, NULL);
	CHECK_OK(other);
	CHECK_EQ(recv(other, buffer, sizeof buffer, 0), 4);
	CHECK_EQ(memcmp(buffer, "text", 4), 0);
	CHECK_ERRNO(sendto(fd, "text", 4, MSG_FASTOPEN, &at.any, at.length), EISCONN);
	CHECK_ERRNO(send(fd, "text", 4, MSG_FASTOPEN), EISCONN);
	CHECK_EQ(send(fd, "more", 4, 0), 4);
	CHECK_EQ(recv(other, buffer, sizeof buffer, 0), 4);
	close(fd);
	close(other);
	close(listener);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERRNO(sendto(fd, "text", 4, MSG_FASTOPEN, &at.any, at.length), ECONNREFUSED);
	return check_done();
}
