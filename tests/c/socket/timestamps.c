/* SO_TIMESTAMP and SO_TIMESTAMPNS: when datagrams came, of UDP and of unix sockets; which of the two is on. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "../check.h"

static void set(int fd, int option, int value)
{
	CHECK_OK(setsockopt(fd, SOL_SOCKET, option, &value, sizeof value));
}

static int get(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof value;
	CHECK_OK(getsockopt(fd, SOL_SOCKET, option, &value, &length));
	CHECK_EQ(length, sizeof value);
	return value;
}

static long long nanoseconds(void)
{
	struct timespec now;
	CHECK_OK(clock_gettime(CLOCK_REALTIME, &now));
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The kinds of the ancillary messages; the time of one of them. */
static int kinds[4], count;
static long long came;

static void take(int fd, int flags)
{
	char byte, control[256];
	struct iovec range = { &byte, 1 };
	struct msghdr message = { .msg_iov = &range, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	CHECK_EQ(recvmsg(fd, &message, flags), 1);
	CHECK_EQ(message.msg_flags & MSG_CTRUNC, 0);
	count = 0;
	came = 0;
	for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one && count < 4; one = CMSG_NXTHDR(&message, one)) {
		CHECK_EQ(one->cmsg_level, SOL_SOCKET);
		kinds[count++] = one->cmsg_type;
		if (one->cmsg_type == SCM_TIMESTAMP) {
			struct timeval time;
			CHECK_EQ(one->cmsg_len, CMSG_LEN(sizeof time));
			memcpy(&time, CMSG_DATA(one), sizeof time);
			CHECK(time.tv_usec >= 0 && time.tv_usec < 1000000);
			came = time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
		} else if (one->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec time;
			CHECK_EQ(one->cmsg_len, CMSG_LEN(sizeof time));
			memcpy(&time, CMSG_DATA(one), sizeof time);
			CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
			came = time.tv_sec * 1000000000LL + time.tv_nsec;
		}
	}
}

/* A clock may be set back a little meanwhile. */
static const long long slack = 1000000000;

static void check(int sender, int receiver)
{
	CHECK_EQ(get(receiver, SO_TIMESTAMP), 0);
	CHECK_EQ(get(receiver, SO_TIMESTAMPNS), 0);
	CHECK_EQ(write(sender, "x", 1), 1);
	take(receiver, 0);
	CHECK_EQ(count, 0);

	/* The time is that of the datagram, not of the one who looks. */
	set(receiver, SO_TIMESTAMP, 7);
	CHECK_EQ(get(receiver, SO_TIMESTAMP), 1);
	CHECK_EQ(get(receiver, SO_TIMESTAMPNS), 0);
	long long before = nanoseconds();
	CHECK_EQ(write(sender, "x", 1), 1);
	long long after = nanoseconds();
	nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
	take(receiver, MSG_PEEK);
	long long first = came;
	CHECK_EQ(count, 1);
	CHECK_EQ(kinds[0], SCM_TIMESTAMP);
	CHECK(came >= before - slack && came <= after + slack);
	take(receiver, 0);
	CHECK_EQ(count, 1);
	CHECK_EQ(came, first);

	/* One of the two; and both go. */
	set(receiver, SO_TIMESTAMPNS, 1);
	CHECK_EQ(get(receiver, SO_TIMESTAMP), 0);
	CHECK_EQ(get(receiver, SO_TIMESTAMPNS), 1);
	before = nanoseconds();
	CHECK_EQ(write(sender, "x", 1), 1);
	take(receiver, 0);
	CHECK_EQ(count, 1);
	CHECK_EQ(kinds[0], SCM_TIMESTAMPNS);
	CHECK(came >= before - slack && came <= nanoseconds() + slack);
	set(receiver, SO_TIMESTAMP, 0);
	CHECK_EQ(get(receiver, SO_TIMESTAMPNS), 0);
	CHECK_EQ(write(sender, "x", 1), 1);
	/* One who asks afterwards is told as well. */
	set(receiver, SO_TIMESTAMP, 1);
	take(receiver, 0);
	CHECK_EQ(count, 1);
	CHECK(came >= before - slack && came <= nanoseconds() + slack);
}

int main(void)
{
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof place;
	int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_OK(bind(receiver, (void *)&place, sizeof place));
	CHECK_OK(getsockname(receiver, (void *)&place, &length));
	CHECK_OK(connect(sender, (void *)&place, sizeof place));
	check(sender, receiver);

	struct sockaddr_un name = { .sun_family = AF_UNIX };
	length = sizeof name.sun_family;
	receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
	sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_OK(bind(receiver, (void *)&name, length));
	length = sizeof name;
	CHECK_OK(getsockname(receiver, (void *)&name, &length));
	CHECK_OK(connect(sender, (void *)&name, length));
	check(sender, receiver);
	/* Before what tells of the sender. */
	set(receiver, SO_PASSCRED, 1);
	CHECK_EQ(write(sender, "x", 1), 1);
	take(receiver, 0);
	CHECK_EQ(count, 2);
	CHECK_EQ(kinds[0], SCM_TIMESTAMP);
	CHECK_EQ(kinds[1], SCM_CREDENTIALS);
	return check_done();
}
