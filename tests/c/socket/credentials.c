/* SCM_CREDENTIALS and SO_PASSCRED: who sent a message. */
#include <sys/socket.h>
#include <sys/uio.h>
#include "../process.h"

union control {
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr header;
};

static int take(int socket, struct ucred *who)
{
	union control control;
	char text[16];
	struct iovec part = { text, sizeof text };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof control };
	if (recvmsg(socket, &message, 0) <= 0)
		return -1;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (!header)
		return 0;
	CHECK_EQ(header->cmsg_type, SCM_CREDENTIALS);
	CHECK_EQ(header->cmsg_len, CMSG_LEN(sizeof *who));
	memcpy(who, CMSG_DATA(header), sizeof *who);
	return 1;
}

static ssize_t claim(int socket, struct ucred who)
{
	union control control;
	memset(&control, 0, sizeof control);
	struct iovec part = { "claim", 5 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof control };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_CREDENTIALS;
	header->cmsg_len = CMSG_LEN(sizeof who);
	memcpy(CMSG_DATA(header), &who, sizeof who);
	return sendmsg(socket, &message, 0);
}

static void who_sends(int type)
{
	int pair[2], on = 1;
	struct ucred who;
	CHECK_OK(socketpair(AF_UNIX, type, 0, pair));
	CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_EQ(write(pair[1], "plain", 5), 5);
		usleep(1000);
		CHECK_EQ(claim(pair[1], (struct ucred){ getpid(), getuid(), getgid() }), 5);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(take(pair[0], &who), 1);
	CHECK_EQ(who.pid, pid);
	CHECK_EQ(who.uid, getuid());
	CHECK_EQ(who.gid, getgid());
	if (type != SOCK_STREAM) {
		CHECK_EQ(take(pair[0], &who), 1);
		CHECK_EQ(who.pid, pid);
	}
	on = 0;
	CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	CHECK_EQ(send(pair[1], "x", 1, 0), 1);
	CHECK_EQ(take(pair[0], &who), 0);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	int pair[2], value = 7;
	socklen_t size = sizeof value;
	who_sends(SOCK_STREAM);
	who_sends(SOCK_DGRAM);
	who_sends(SOCK_SEQPACKET);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	CHECK_OK(getsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &value, &size));
	CHECK_EQ(value, 0);
	struct ucred who;
	size = sizeof who;
	CHECK_OK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &size));
	CHECK_EQ(who.pid, getpid());
	close(pair[0]);
	int fresh = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(getsockopt(fresh, SOL_SOCKET, SO_PEERCRED, &who, &size));
	CHECK_EQ(who.pid, 0);
	CHECK_EQ(who.uid, (uid_t)-1);
	return check_done();
}
