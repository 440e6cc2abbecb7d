/* Unix datagrams: names of senders, connections, truncation, full queues.
 * @in scratch
 */
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "../process.h"

static struct sockaddr_un address;

static socklen_t name(const char *path)
{
	memset(&address, 0, sizeof address);
	address.sun_family = AF_UNIX;
	strcpy(address.sun_path, path);
	return offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
}

#define TO(path) (struct sockaddr *)&address, name(path)

int main(void)
{
	char buffer[64];
	struct sockaddr_un from;
	socklen_t room;
	int server = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_OK(bind(server, TO("server")));
	int client = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_EQ(sendto(client, "nameless", 8, 0, TO("server")), 8);
	room = sizeof from;
	CHECK_EQ(recvfrom(server, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &room), 8);
	CHECK_EQ(room, 0);
	CHECK_ERRNO(sendto(client, "x", 1, 0, TO("nobody")), ENOENT);
	CHECK_ERRNO(send(client, "x", 1, 0), ENOTCONN);

	CHECK_OK(bind(client, TO("client")));
	CHECK_EQ(sendto(client, "question", 8, 0, TO("server")), 8);
	room = sizeof from;
	memset(&from, 0, sizeof from);
	CHECK_EQ(recvfrom(server, buffer, 4, MSG_TRUNC, (struct sockaddr *)&from, &room), 8);
	CHECK_STR(from.sun_path, "client");
	CHECK_EQ(room, offsetof(struct sockaddr_un, sun_path) + 7);
	CHECK_EQ(sendto(server, "answer", 6, 0, (struct sockaddr *)&from, room), 6);
	CHECK_EQ(read(client, buffer, sizeof buffer), 6);

	CHECK_OK(connect(client, TO("server")));
	CHECK_EQ(write(client, "connected", 9), 9);
	CHECK_EQ(send(client, "", 0, 0), 0);
	CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 9);
	CHECK_EQ(recv(server, buffer, sizeof buffer, 0), 0);
	room = sizeof from;
	CHECK_OK(getpeername(client, (struct sockaddr *)&from, &room));
	CHECK_STR(from.sun_path, "server");

	/* A connected socket takes from its peer only. */
	int third = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERRNO(sendto(third, "x", 1, 0, TO("client")), EPERM);
	CHECK_ERRNO(connect(third, TO("client")), EPERM);
	address.sun_family = AF_UNSPEC;
	CHECK_OK(connect(client, (struct sockaddr *)&address, sizeof address));
	CHECK_ERRNO(send(client, "x", 1, 0), ENOTCONN);
	CHECK_EQ(sendto(third, "x", 1, 0, TO("client")), 1);

	/* Parts, peeks, readiness. */
	struct pollfd polled = { client, POLLIN, 0 };
	CHECK_EQ(poll(&polled, 1, 0), 1);
	CHECK_EQ(recv(client, buffer, 9, MSG_PEEK), 1);
	CHECK_EQ(recv(client, buffer, 9, 0), 1);
	CHECK_EQ(poll(&polled, 1, 0), 0);
	CHECK_ERRNO(recv(client, buffer, 9, MSG_DONTWAIT), EAGAIN);

	/* A sender waits for a receiver that is behind. */
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(connect(third, TO("server")));
		for (int i = 0; i < 2000; i++)
			CHECK_EQ(write(third, &i, sizeof i), sizeof i);
		finish();
	}
	usleep(50000);
	for (int i = 0; i < 2000; i++) {
		int number = -1;
		CHECK_EQ(read(server, &number, sizeof number), sizeof number);
		CHECK_EQ(number, i);
	}
	CHECK_EQ(ended(pid), 0);
	int count = 0;
	while (sendto(third, "x", 1, MSG_DONTWAIT, TO("server")) == 1)
		count++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(count >= 5);

	CHECK_OK(connect(third, TO("server")));
	close(server);
	CHECK_ERRNO(send(third, "x", 1, 0), ECONNREFUSED);
	CHECK_ERRNO(sendto(third, "x", 1, 0, TO("server")), ECONNREFUSED);
	CHECK_ERRNO(listen(third, 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(third, NULL, NULL), EOPNOTSUPP);
	return check_done();
}
