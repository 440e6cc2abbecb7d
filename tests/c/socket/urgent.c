/* Urgent data of a TCP stream: MSG_OOB, SO_OOBINLINE, sockatmark(3). */
#include <poll.h>
#include "inet.h"

int main(void)
{
	struct address at;
	char buffer[16];
	int listener = listening(AF_INET, &at), fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_OK(connect(fd, &at.any, at.length));
	int other = accept(listener, NULL, NULL);
	CHECK_EQ(send(fd, "ab", 2, 0), 2);
	CHECK_EQ(send(fd, "!", 1, MSG_OOB), 1);
	CHECK_EQ(send(fd, "cd", 2, 0), 2);
	struct pollfd polled = { other, POLLPRI, 0 };
	CHECK_EQ(poll(&polled, 1, 1000), 1);
	CHECK(polled.revents & POLLPRI);
	CHECK_EQ(sockatmark(other), 0);
	CHECK_EQ(recv(other, buffer, 1, MSG_OOB), 1);
	CHECK_EQ(buffer[0], '!');
	CHECK_EQ(recv(other, buffer, sizeof buffer, 0), 2);
	CHECK_EQ(memcmp(buffer, "ab", 2), 0);
	CHECK_EQ(recv(other, buffer, sizeof buffer, 0), 2);
	CHECK_EQ(memcmp(buffer, "cd", 2), 0);
	return check_done();
}
