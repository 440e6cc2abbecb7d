/* What system calls cost: `PROGRAM NAME COUNT FILE`. FILE is made, used and removed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

enum { PAGE = 4096, BLOCK = 64 << 10, MANY = 500 };

static const char *file;
static char block[BLOCK];

static void parent_id(long count)
{
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
}

static void read_zero(long count)
{
	char byte;
	int fd = open("/dev/zero", O_RDONLY);
	for (long i = 0; i < count; i++)
		if (read(fd, &byte, 1) != 1)
			fail("read");
	close(fd);
}

static void write_null(long count)
{
	char byte = 0;
	int fd = open("/dev/null", O_WRONLY);
	for (long i = 0; i < count; i++)
		if (write(fd, &byte, 1) != 1)
			fail("write");
	close(fd);
}

static void add_to_event(long count)
{
	uint64_t one = 1;
	int fd = eventfd(0, 0);
	for (long i = 0; i < count; i++)
		if (write(fd, &one, sizeof one) != sizeof one)
			fail("write");
	close(fd);
}

static void make_file(void)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, block, BLOCK) != BLOCK || close(fd) != 0)
		fail(file);
}

static void open_close(long count)
{
	make_file();
	for (long i = 0; i < count; i++) {
		int fd = open(file, O_RDONLY);
		if (fd < 0 || close(fd) != 0)
			fail("open");
	}
	unlink(file);
}

static void stat_file(long count)
{
	struct stat found;
	make_file();
	for (long i = 0; i < count; i++)
		if (stat(file, &found) != 0)
			fail("stat");
	unlink(file);
}

static void read_block(long count)
{
	make_file();
	int fd = open(file, O_RDONLY);
	for (long i = 0; i < count; i++)
		if (pread(fd, block, BLOCK, 0) != BLOCK)
			fail("pread");
	close(fd);
	unlink(file);
}

static void ended(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	if (status != 0) {
		fprintf(stderr, "the child ended with %#x\n", (unsigned)status);
		exit(1);
	}
}

/* The child's half of a bandwidth: takes everything, then says so with one byte. */
static void take_all(int from, int answer)
{
	ssize_t got;
	while ((got = read(from, block, BLOCK)) > 0)
		continue;
	_exit(got < 0 || write(answer, block, 1) != 1);
}

static void give_all(int to, long mebibytes)
{
	for (long left = mebibytes << 20; left > 0;) {
		ssize_t put = write(to, block, BLOCK);
		if (put <= 0)
			fail("write");
		left -= put;
	}
}

static void pipe_mebibyte(long count)
{
	int data[2], answer[2];
	if (pipe(data) < 0 || pipe(answer) < 0)
		fail("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		close(data[1]);
		take_all(data[0], answer[1]);
	}
	close(data[0]);
	give_all(data[1], count);
	close(data[1]);
	if (read(answer[0], block, 1) != 1)
		fail("answer");
	ended(pid);
	close(answer[0]);
	close(answer[1]);
}

/* A connection to a child process over a listening socket of this family. */
static pid_t connection(int family, int *own, int *others)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr *address = family == AF_UNIX ? (struct sockaddr *)&local : (struct sockaddr *)&loopback;
	int text = snprintf(local.sun_path + 1, sizeof local.sun_path - 1, "lind-bench-%d", (int)getpid());
	socklen_t length = family == AF_UNIX ? offsetof(struct sockaddr_un, sun_path) + 1 + text : sizeof loopback;
	int listener = socket(family, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, address, length) < 0 || listen(listener, 1) < 0)
		fail("listen");
	if (family == AF_INET && getsockname(listener, address, &length) < 0)
		fail("getsockname");
	pid_t pid = fork();
	if (pid == 0) {
		*others = accept(listener, NULL, NULL);
		close(listener);
		if (*others < 0)
			_exit(1);
		return 0;
	}
	*own = socket(family, SOCK_STREAM, 0);
	if (*own < 0 || connect(*own, address, length) < 0)
		fail("connect");
	close(listener);
	return pid;
}

static void socket_round(int family, long count)
{
	int own, others;
	char byte = 0;
	pid_t pid = connection(family, &own, &others);
	if (pid == 0) {
		while (read(others, &byte, 1) == 1)
			if (write(others, &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (long i = 0; i < count; i++)
		if (write(own, &byte, 1) != 1 || read(own, &byte, 1) != 1)
			fail("round");
	close(own);
	ended(pid);
}

static void socket_mebibyte(int family, long count)
{
	int own, others;
	pid_t pid = connection(family, &own, &others);
	if (pid == 0)
		take_all(others, others);
	give_all(own, count);
	shutdown(own, SHUT_WR);
	if (read(own, block, 1) != 1)
		fail("answer");
	close(own);
	ended(pid);
}

static void unix_round(long n) { socket_round(AF_UNIX, n); }
static void unix_mebibyte(long n) { socket_mebibyte(AF_UNIX, n); }
static void tcp_round(long n) { socket_round(AF_INET, n); }
static void tcp_mebibyte(long n) { socket_mebibyte(AF_INET, n); }

/* Many descriptors of which the last is ready. */
static void make_many(int *fds)
{
	for (int i = 0; i < MANY; i++) {
		fds[i] = eventfd(i == MANY - 1, 0);
		if (fds[i] < 0)
			fail("eventfd");
	}
}

static void close_many(const int *fds)
{
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
}

static void poll_many(long count)
{
	int fds[MANY];
	struct pollfd polled[MANY];
	make_many(fds);
	for (int i = 0; i < MANY; i++)
		polled[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	for (long i = 0; i < count; i++)
		if (poll(polled, MANY, -1) != 1)
			fail("poll");
	close_many(fds);
}

static void epoll_many(long count)
{
	int fds[MANY];
	struct epoll_event event;
	int set = epoll_create1(0);
	make_many(fds);
	for (int i = 0; i < MANY; i++) {
		event = (struct epoll_event){ .events = EPOLLIN, .data.fd = fds[i] };
		if (epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event) < 0)
			fail("epoll_ctl");
	}
	for (long i = 0; i < count; i++)
		if (epoll_wait(set, &event, 1, -1) != 1 || event.data.fd != fds[MANY - 1])
			fail("epoll_wait");
	close(set);
	close_many(fds);
}

static char *map(size_t size)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

static void touch(char *memory, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE)
		((volatile char *)memory)[at] = 1;
}

static void map_touch_unmap(long count)
{
	for (long i = 0; i < count; i++) {
		char *memory = map(BLOCK);
		touch(memory, BLOCK);
		munmap(memory, BLOCK);
	}
}

/* One page of a mapping that has so many. */
static void fault(long count)
{
	size_t size = (size_t)count * PAGE;
	char *memory = map(size);
	touch(memory, size);
	munmap(memory, size);
}

static const struct measure all[] = {
	{ "getppid", parent_id }, { "read_zero", read_zero }, { "write_null", write_null },
	{ "event", add_to_event }, { "open_close", open_close },
	{ "stat", stat_file }, { "read_64k", read_block }, { "pipe_mib", pipe_mebibyte }, { "unix_round", unix_round },
	{ "unix_mib", unix_mebibyte }, { "tcp_round", tcp_round }, { "tcp_mib", tcp_mebibyte }, { "poll_500", poll_many },
	{ "epoll_500", epoll_many }, { "map_16", map_touch_unmap }, { "fault", fault },
};

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	file = argv[3];
	return measure(all, sizeof all / sizeof *all, argv[1], atol(argv[2]));
}
