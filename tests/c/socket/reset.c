/* TCP connections that end before both sides are done: what is sent to who is gone, connections that are reset, and two that
 * want to listen at one port. */
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>
#include "inet.h"

static int family, listener;
static struct address at;

/* A connection: the end that connected, and the accepted one. */
static void connect_pair(int pair[2])
{
	pair[0] = socket(family, SOCK_STREAM, 0);
	CHECK_OK(connect(pair[0], &at.any, at.length));
	CHECK_OK(pair[1] = accept(listener, NULL, NULL));
}

/* What arrives over the network comes a moment later. */
static int error_within(ssize_t (*call)(int), int fd)
{
	for (int i = 0; i < 2000; i++) {
		if (call(fd) < 0)
			return errno;
		usleep(1000);
	}
	return 0;
}

static ssize_t send_byte(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL);
}

static ssize_t write_byte(int fd)
{
	return write(fd, "x", 1);
}

static ssize_t write_vector(int fd)
{
	struct iovec parts[2] = { { "x", 1 }, { "y", 1 } };
	return writev(fd, parts, 2);
}

/* The first bytes that nobody reads are taken; who is gone answers them, and the next ones are an error. */
static void sends_to_nobody(ssize_t (*call)(int), long size)
{
	int pair[2];
	char c;
	connect_pair(pair);
	close(pair[1]);
	CHECK_EQ(read(pair[0], &c, 1), 0);
	CHECK_EQ(call(pair[0]), size);
	CHECK_EQ(error_within(call, pair[0]), EPIPE);
	CHECK_EQ(read(pair[0], &c, 1), 0);
	close(pair[0]);
}

/* Who has ended sending is refused at once. */
static void sends_after_the_end(void)
{
	int pair[2];
	char c;
	connect_pair(pair);
	CHECK_OK(shutdown(pair[0], SHUT_WR));
	CHECK_ERRNO(send_byte(pair[0]), EPIPE);
	CHECK_EQ(read(pair[1], &c, 1), 0);
	CHECK_EQ(send_byte(pair[1]), 1);
	CHECK_EQ(read(pair[0], &c, 1), 1);
	close(pair[1]);
	close(pair[0]);
}

static void linger(int fd, int on, int seconds)
{
	struct linger l = { on, seconds };
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l));
}

static ssize_t read_one(int fd)
{
	char c;
	return read(fd, &c, 1);
}

static ssize_t receive_one(int fd)
{
	char c;
	return recv(fd, &c, 1, 0);
}

/* A socket that lingers for no time resets its connection: the other end is told once, and then is at the end. */
static void resets(ssize_t (*call)(int), int end)
{
	int pair[2];
	connect_pair(pair);
	linger(pair[end], 1, 0);
	int copy = dup(pair[end]);
	close(pair[end]);
	CHECK_EQ(send_byte(pair[!end]), 1);
	CHECK_EQ(read_one(copy), 1);
	close(copy);
	CHECK_ERRNO(call(pair[!end]), ECONNRESET);
	CHECK_EQ(call(pair[!end]), 0);
	CHECK_ERRNO(send_byte(pair[!end]), EPIPE);
	close(pair[!end]);
}

static void resets_who_writes_or_asks(void)
{
	int pair[2], error = 0;
	socklen_t length = sizeof error;
	connect_pair(pair);
	linger(pair[1], 1, 0);
	close(pair[1]);
	CHECK_EQ(error_within(send_byte, pair[0]), ECONNRESET);
	CHECK_ERRNO(send_byte(pair[0]), EPIPE);
	close(pair[0]);
	connect_pair(pair);
	linger(pair[1], 1, 0);
	close(pair[1]);
	struct pollfd ready = { .fd = pair[0], .events = POLLIN };
	CHECK_EQ(poll(&ready, 1, 10000), 1);
	CHECK_EQ(ready.revents & POLLHUP, POLLHUP);
	CHECK_OK(getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &error, &length));
	CHECK_EQ(error, ECONNRESET);
	CHECK_EQ(read_one(pair[0]), 0);
	close(pair[0]);
}

/* With some time, or switched off again, it is an ordinary end. */
static void does_not_reset(void)
{
	for (int on = 0; on < 2; on++) {
		int pair[2];
		connect_pair(pair);
		linger(pair[1], on, on);
		close(pair[1]);
		CHECK_EQ(read_one(pair[0]), 0);
		close(pair[0]);
	}
}

static int bound(int reuse, int reuse_port)
{
	int fd = socket(family, SOCK_STREAM, 0);
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse));
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &reuse_port, sizeof reuse_port));
	return fd;
}

/* Two can be bound to one port, but only one of them can listen. */
static void listen_at_one_port(void)
{
	struct address own = loopback(family, 0);
	int first = bound(1, 0), second = bound(1, 0), third = bound(1, 0);
	CHECK_OK(bind(first, &own.any, own.length));
	own = name_of(first);
	CHECK_OK(bind(second, &own.any, own.length));
	struct address all = anywhere(family, port_of(&own));
	CHECK_OK(bind(third, &all.any, all.length));
	CHECK_OK(listen(first, 1));
	CHECK_ERRNO(listen(second, 1), EADDRINUSE);
	CHECK_ERRNO(listen(third, 1), EADDRINUSE);
	CHECK_OK(listen(first, 5));
	close(first);
	CHECK_OK(listen(second, 1));
	close(second);
	close(third);
	first = bound(0, 1), second = bound(0, 1);
	own = loopback(family, 0);
	CHECK_OK(bind(first, &own.any, own.length));
	own = name_of(first);
	CHECK_OK(bind(second, &own.any, own.length));
	CHECK_OK(listen(first, 1));
	CHECK_OK(listen(second, 1));
	close(first);
	close(second);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (family = AF_INET; family; family = family == AF_INET && has_ipv6() ? AF_INET6 : 0) {
		at = loopback(family, 0);
		listener = socket(family, SOCK_STREAM, 0);
		CHECK_OK(bind(listener, &at.any, at.length));
		CHECK_OK(listen(listener, 5));
		at = name_of(listener);
		sends_to_nobody(send_byte, 1);
		sends_to_nobody(write_byte, 1);
		sends_to_nobody(write_vector, 2);
		sends_after_the_end();
		resets(read_one, 0);
		resets(read_one, 1);
		resets(receive_one, 1);
		resets_who_writes_or_asks();
		does_not_reset();
		listen_at_one_port();
		close(listener);
	}
	return check_done();
}
