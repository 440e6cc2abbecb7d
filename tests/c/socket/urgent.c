/* Urgent data of a stream: MSG_OOB, sockatmark(3), SIGURG for the owner of the description. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/un.h>
#include "inet.h"

static volatile sig_atomic_t urgent;

static void count(int signo)
{
	(void)signo;
	urgent++;
}

/* What is sent at one end to the other. */
static void signals(int from, int to)
{
	char byte;
	urgent = 0;
	CHECK_EQ(send(from, "!", 1, MSG_OOB), 1);
	CHECK_EQ(urgent, 0);
	CHECK_EQ(recv(to, &byte, 1, MSG_OOB), 1);
	CHECK_OK(fcntl(to, F_SETOWN, getpid()));
	CHECK_EQ(send(from, "x", 1, 0), 1);
	CHECK_EQ(urgent, 0);
	CHECK_EQ(send(from, "!", 1, MSG_OOB), 1);
	CHECK_EQ(urgent, 1);
	/* No other signal was asked for, and it has no meaning for this one. */
	CHECK_OK(fcntl(to, F_SETSIG, SIGUSR1));
	CHECK_EQ(send(from, "!", 1, MSG_OOB), 1);
	CHECK_EQ(urgent, 2);
	CHECK_EQ(send(to, "!", 1, MSG_OOB), 1);
	CHECK_EQ(urgent, 2);
	CHECK_OK(fcntl(to, F_SETOWN, 0));
	CHECK_EQ(send(from, "!", 1, MSG_OOB), 1);
	CHECK_EQ(urgent, 2);
}

static void unix_streams(void)
{
	int ends[2], listener = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0urgent" };
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	signals(ends[0], ends[1]);
	signals(ends[1], ends[0]);
	CHECK_OK(bind(listener, (void *)&name, sizeof name));
	CHECK_OK(listen(listener, 1));
	CHECK_OK(connect(fd, (void *)&name, sizeof name));
	int other = accept(listener, NULL, NULL);
	signals(fd, other);
	signals(other, fd);
}

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
	signal(SIGURG, count);
	unix_streams();
	return check_done();
}
