/* A descriptor that is received while other processes close sockets arrives all the same. */
#include <sys/socket.h>
#include "../process.h"

static void passes(int rounds)
{
	int ends[2];
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	for (int i = 0; i < rounds; i++) {
		int received = -1;
		char byte = 'x', control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
		struct iovec vector = { &byte, 1 };
		struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(header), &ends[0], sizeof(int));
		CHECK_EQ(sendmsg(ends[0], &message, 0), 1);
		CHECK_EQ(recvmsg(ends[1], &message, 0), 1);
		header = CMSG_FIRSTHDR(&message);
		CHECK(header != NULL);
		if (header)
			memcpy(&received, CMSG_DATA(header), sizeof received);
		CHECK_OK(close(received));
	}
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	pid_t pids[3];
	for (int i = 0; i < 3; i++)
		if ((pids[i] = start()) == 0)
			for (;;)
				close(socket(AF_UNIX, SOCK_DGRAM, 0));
	passes(3000);
	for (int i = 0; i < 3; i++) {
		CHECK_OK(kill(pids[i], SIGKILL));
		CHECK_EQ(ended(pids[i]), 128 + SIGKILL);
	}
	return check_done();
}
