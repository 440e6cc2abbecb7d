/* SCM_RIGHTS: descriptors pass between processes with all that they are; limits and truncation. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include "../process.h"

#define ROOM 4

union control {
	char bytes[CMSG_SPACE(sizeof(int) * ROOM)];
	struct cmsghdr header;
};

static ssize_t give(int socket, const int *fds, int count, const char *text)
{
	union control control;
	memset(&control, 0, sizeof control);
	struct iovec part = { (char *)text, strlen(text) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
	return sendmsg(socket, &message, 0);
}

static int take(int socket, int *fds, int room, int flags, int *told)
{
	union control control;
	char text[64];
	struct iovec part = { text, sizeof text };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room ? &control : NULL,
		.msg_controllen = room ? CMSG_LEN(sizeof(int) * room) : 0 };
	if (recvmsg(socket, &message, flags) <= 0)
		return -1;
	*told = message.msg_flags;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (!header)
		return 0;
	CHECK_EQ(header->cmsg_level, SOL_SOCKET);
	CHECK_EQ(header->cmsg_type, SCM_RIGHTS);
	int count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(header), sizeof(int) * count);
	return count;
}

static void to_child(int type)
{
	int pair[2], pipes[2], got[ROOM], told;
	char buffer[16];
	CHECK_OK(socketpair(AF_UNIX, type, 0, pair));
	pid_t pid = start();
	if (pid == 0) {
		close(pair[0]);
		CHECK_EQ(take(pair[1], got, 3, MSG_CMSG_CLOEXEC, &told), 3);
		CHECK_EQ(told & MSG_CTRUNC, 0);
		CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
		CHECK_EQ(read(got[0], buffer, sizeof buffer), 4);
		CHECK_EQ(memcmp(buffer, "pipe", 4), 0);
		CHECK_EQ(openat(got[1], "zero", O_RDONLY), got[2] + 1);
		CHECK_EQ(write(got[2], "own", 3), 3);
		CHECK_EQ(take(pair[1], got, 1, 0, &told), 1);
		CHECK_EQ(fcntl(got[0], F_GETFD), 0);
		finish();
	}
	close(pair[1]);
	CHECK_OK(pipe(pipes));
	int back[2];
	CHECK_OK(pipe(back));
	int directory = open("/dev", O_RDONLY | O_DIRECTORY);
	CHECK_OK(directory);
	CHECK_EQ(write(pipes[1], "pipe", 4), 4);
	CHECK_EQ(give(pair[0], (int[]){ pipes[0], directory, back[1] }, 3, "three"), 5);
	/* They live on while nobody has them. */
	close(pipes[0]);
	close(directory);
	close(back[1]);
	CHECK_EQ(give(pair[0], &pipes[1], 1, "one"), 3);
	CHECK_EQ(read(back[0], buffer, sizeof buffer), 3);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(read(back[0], buffer, sizeof buffer), 0);
	close(pair[0]);
	close(pipes[1]);
	close(back[0]);
}

static void borders(int type)
{
	int pair[2], got[ROOM], told, null = open("/dev/null", O_WRONLY);
	char buffer[16];
	CHECK_OK(socketpair(AF_UNIX, type, 0, pair));
	/* Each message has its own; a stream's bytes before them come first. */
	CHECK_EQ(write(pair[0], "plain", 5), 5);
	CHECK_EQ(give(pair[0], &null, 1, "with"), 4);
	CHECK_EQ(give(pair[0], (int[]){ null, null }, 2, "more"), 4);
	CHECK_EQ(read(pair[1], buffer, 5), 5);
	/* A look gives descriptors as well. */
	CHECK_EQ(take(pair[1], got, 1, MSG_PEEK, &told), 1);
	CHECK_EQ(write(got[0], "x", 1), 1);
	close(got[0]);
	CHECK_EQ(take(pair[1], got, 1, 0, &told), 1);
	close(got[0]);
	/* What does not fit is closed. */
	CHECK_EQ(take(pair[1], got, 1, 0, &told), 1);
	CHECK(told & MSG_CTRUNC);
	close(got[0]);
	CHECK_EQ(give(pair[0], &null, 1, "none"), 4);
	CHECK_EQ(take(pair[1], got, 0, 0, &told), 0);
	CHECK(told & MSG_CTRUNC);
	/* So is what is read without asking. */
	int pipes[2];
	CHECK_OK(pipe(pipes));
	CHECK_EQ(give(pair[0], &pipes[1], 1, "lost"), 4);
	close(pipes[1]);
	CHECK_EQ(recv(pair[1], buffer, sizeof buffer, 0), 4);
	close(pair[0]);
	close(pair[1]);
	CHECK_EQ(read(pipes[0], buffer, 1), 0);
	/* And what nobody receives. */
	CHECK_OK(socketpair(AF_UNIX, type, 0, pair));
	CHECK_OK(pipe(pipes));
	CHECK_EQ(give(pair[0], &pipes[1], 1, "lost"), 4);
	close(pipes[1]);
	close(pair[0]);
	close(pair[1]);
	CHECK_EQ(read(pipes[0], buffer, 1), 0);
	close(pipes[0]);
	close(null);
}

int main(void)
{
	int pair[2];
	to_child(SOCK_STREAM);
	to_child(SOCK_DGRAM);
	to_child(SOCK_SEQPACKET);
	borders(SOCK_STREAM);
	borders(SOCK_DGRAM);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	CHECK_ERRNO(give(pair[0], (int[]){ 999 }, 1, "bad"), EBADF);
	/* A file's own flags are those of its open file description. */
	int got, told, null = open("/dev/null", O_WRONLY | O_APPEND);
	CHECK_EQ(give(pair[0], &null, 1, "x"), 1);
	CHECK_EQ(take(pair[1], &got, 1, 0, &told), 1);
	CHECK_EQ(fcntl(got, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
	CHECK_OK(fcntl(got, F_SETFL, O_NONBLOCK));
	CHECK(fcntl(null, F_GETFL) & O_NONBLOCK);
	/* A socket through itself. */
	CHECK_EQ(give(pair[0], &pair[1], 1, "x"), 1);
	close(pair[0]);
	close(pair[1]);
	return check_done();
}
