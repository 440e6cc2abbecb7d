/* Unix streams at paths and abstract names: bind, listen, accept, connect, names, credentials.
 * @in scratch
 */
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "../process.h"

static socklen_t name(struct sockaddr_un *address, const char *path)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	return offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
}

static socklen_t abstract(struct sockaddr_un *address, const char *text)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path + 1, text);
	return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text);
}

static void talk(struct sockaddr_un *address, socklen_t length, int type)
{
	int listener = socket(AF_UNIX, type, 0);
	CHECK_OK(listener);
	CHECK_ERRNO(listen(listener, 5), EINVAL);
	CHECK_OK(bind(listener, (struct sockaddr *)address, length));
	CHECK_ERRNO(bind(listener, (struct sockaddr *)address, length), address->sun_path[0] ? EADDRINUSE : EINVAL);
	int other = socket(AF_UNIX, type, 0);
	CHECK_ERRNO(bind(other, (struct sockaddr *)address, length), EADDRINUSE);
	CHECK_ERRNO(connect(other, (struct sockaddr *)address, length), ECONNREFUSED);
	CHECK_ERRNO(accept(listener, NULL, NULL), EINVAL);
	CHECK_OK(listen(listener, 5));
	int value = 0;
	socklen_t size = sizeof value;
	CHECK_OK(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &value, &size));
	CHECK_EQ(value, 1);
	pid_t pid = start();
	if (pid == 0) {
		char buffer[16];
		int fd = socket(AF_UNIX, type, 0);
		CHECK_OK(connect(fd, (struct sockaddr *)address, length));
		CHECK_ERRNO(connect(fd, (struct sockaddr *)address, length), EISCONN);
		struct sockaddr_un peer;
		socklen_t room = sizeof peer;
		CHECK_OK(getpeername(fd, (struct sockaddr *)&peer, &room));
		CHECK_EQ(room, length);
		CHECK_EQ(memcmp(&peer, address, length), 0);
		room = sizeof peer;
		CHECK_OK(getsockname(fd, (struct sockaddr *)&peer, &room));
		CHECK_EQ(room, sizeof(sa_family_t));
		struct ucred who;
		socklen_t size = sizeof who;
		CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size));
		CHECK_EQ(who.pid, getppid());
		CHECK_EQ(who.uid, getuid());
		CHECK_EQ(write(fd, "ping", 4), 4);
		CHECK_EQ(read(fd, buffer, sizeof buffer), 4);
		finish();
	}
	struct pollfd polled = { listener, POLLIN, 0 };
	CHECK_EQ(poll(&polled, 1, 5000), 1);
	struct sockaddr_un peer;
	socklen_t room = sizeof peer;
	int fd = accept4(listener, (struct sockaddr *)&peer, &room, SOCK_CLOEXEC);
	CHECK_OK(fd);
	CHECK_EQ(room, sizeof(sa_family_t));
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	struct ucred who;
	size = sizeof who;
	CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size));
	CHECK_EQ(who.pid, pid);
	CHECK_EQ(who.gid, getgid());
	char buffer[16];
	CHECK_EQ(read(fd, buffer, sizeof buffer), 4);
	CHECK_EQ(write(fd, "pong", 4), 4);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(read(fd, buffer, sizeof buffer), 0);
	close(fd);

	fcntl(listener, F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
	close(listener);
	CHECK_ERRNO(connect(other, (struct sockaddr *)address, length), ECONNREFUSED);
	close(other);
}

static void backlog(void)
{
	struct sockaddr_un address;
	socklen_t length = name(&address, "full");
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(bind(listener, (struct sockaddr *)&address, length));
	CHECK_OK(listen(listener, 0));
	int first = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(connect(first, (struct sockaddr *)&address, length));
	int second = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_ERRNO(connect(second, (struct sockaddr *)&address, length), EAGAIN);
	pid_t pid = start();
	if (pid == 0) {
		int third = socket(AF_UNIX, SOCK_STREAM, 0);
		CHECK_OK(connect(third, (struct sockaddr *)&address, length));
		CHECK_EQ(write(third, "3", 1), 1);
		finish();
	}
	usleep(50000);
	int fd = accept(listener, NULL, NULL);
	CHECK_OK(fd);
	int next = accept(listener, NULL, NULL);
	char byte;
	CHECK_EQ(read(next, &byte, 1), 1);
	CHECK_EQ(byte, '3');
	CHECK_EQ(ended(pid), 0);
	/* A datagram socket does not connect to a stream. */
	int wrong = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERRNO(connect(wrong, (struct sockaddr *)&address, length), EPROTOTYPE);
	close(listener);
	close(first);
	close(second);
}

int main(void)
{
	struct sockaddr_un address;
	talk(&address, name(&address, "socket"), SOCK_STREAM);
	struct stat st;
	CHECK_OK(stat("socket", &st));
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_ERRNO(open("socket", O_RDWR), ENXIO);
	CHECK_OK(unlink("socket"));
	CHECK_OK(mkdir("sub", 0777));
	talk(&address, name(&address, "sub/packets"), SOCK_SEQPACKET);
	talk(&address, abstract(&address, "a name of this test"), SOCK_STREAM);
	backlog();

	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(connect(fd, (struct sockaddr *)&address, name(&address, "missing")), ENOENT);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&address, name(&address, "missing/socket")), ENOENT);
	close(open("file", O_CREAT | O_WRONLY, 0666));
	CHECK_ERRNO(connect(fd, (struct sockaddr *)&address, name(&address, "file")), ECONNREFUSED);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&address, name(&address, "file")), EADDRINUSE);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&address, name(&address, "file/x")), ENOTDIR);
	CHECK_OK(symlink("elsewhere", "link"));
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&address, name(&address, "link")), EADDRINUSE);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&address, 1), EINVAL);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)16, 20), EFAULT);
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&address, &(socklen_t){ sizeof address }), ENOTCONN);
	CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERRNO(recv(fd, &address, 1, 0), EINVAL);
	/* A name of the system's choice. */
	address.sun_family = AF_UNIX;
	CHECK_OK(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)));
	socklen_t room = sizeof address;
	CHECK_OK(getsockname(fd, (struct sockaddr *)&address, &room));
	CHECK_EQ(room, sizeof(sa_family_t) + 6);
	CHECK_EQ(address.sun_path[0], 0);
	close(fd);
	/* Modes follow the mask. */
	umask(077);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(bind(fd, (struct sockaddr *)&address, name(&address, "private")));
	CHECK_OK(stat("private", &st));
	CHECK_EQ(st.st_mode & 0777, 0700);
	return check_done();
}
