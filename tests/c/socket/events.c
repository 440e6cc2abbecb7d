/* Sockets and epoll, sendfile, splice, exec, signals. */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include "inet.h"

static volatile sig_atomic_t caught;

static void handler(int signal)
{
	caught = signal;
}

static void interrupted(void)
{
	struct address at;
	struct sigaction action = { .sa_handler = handler };
	struct timespec step = { 0, 20000000 };
	int listener = listening(AF_INET, &at), pair[2];
	char byte;
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	sigaction(SIGUSR1, &action, NULL);
	/* Whether calls are restarted by now: one signal may come before a call waits, or be one with the next. */
	volatile int *restarts = mmap(NULL, sizeof *restarts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK((void *)restarts != MAP_FAILED);
	pid_t parent = getpid(), pid = start();
	if (pid == 0) {
		while (!*restarts) {
			nanosleep(&step, NULL);
			kill(parent, SIGUSR1);
		}
		nanosleep(&step, NULL);
		nanosleep(&step, NULL);
		kill(parent, SIGUSR1);
		nanosleep(&step, NULL);
		CHECK_EQ(write(pair[1], "x", 1), 1);
		finish();
	}
	CHECK_ERRNO(accept(listener, NULL, NULL), EINTR);
	CHECK_ERRNO(recv(pair[0], &byte, 1, 0), EINTR);
	struct sockaddr_in none = { .sin_family = AF_INET };
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_OK(bind(udp, (struct sockaddr *)&none, sizeof none));
	CHECK_ERRNO(recv(udp, &byte, 1, 0), EINTR);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	caught = 0;
	*restarts = 1;
	CHECK_EQ(recv(pair[0], &byte, 1, 0), 1);
	CHECK_EQ(caught, SIGUSR1);
	CHECK_EQ(ended(pid), 0);
	/* A pipe that nobody reads. */
	signal(SIGPIPE, handler);
	close(pair[1]);
	caught = 0;
	CHECK_ERRNO(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(caught, 0);
	CHECK_ERRNO(send(pair[0], "x", 1, 0), EPIPE);
	CHECK_EQ(caught, SIGPIPE);
	caught = 0;
	CHECK_ERRNO(write(pair[0], "x", 1), EPIPE);
	CHECK_EQ(caught, SIGPIPE);
	close(pair[0]);
	close(listener);
	close(udp);
}

/* One call gives as many events as there are and as fit. */
static void many(void)
{
	static struct epoll_event got[2500];
	struct rlimit limit;
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	int set = epoll_create1(0), count = 0, first = 0;
	for (; count < 2000; count++) {
		struct epoll_event event = { .events = EPOLLIN };
		int fd = eventfd(1, 0);
		/* Under lind the host's limit of one process counts for all of a sandbox. */
		if (fd < 0 && errno == EMFILE && count >= 400)
			break;
		CHECK(fd > 0);
		if (count == 0)
			first = fd;
		CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	}
	CHECK_EQ(epoll_wait(set, got, count + 1, 0), count);
	CHECK_EQ(epoll_wait(set, got, count + 1, -1), count);
	CHECK_EQ(epoll_wait(set, got, count - 1, 0), count - 1);
	CHECK_EQ(epoll_wait(set, got, 3, 0), 3);
	for (int i = 0; i < count; i++)
		CHECK_OK(close(first + i));
	close(set);
}

static void epolled(void)
{
	struct address at;
	int listener = listening(AF_INET, &at), set = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, got[4];
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, listener, &event));
	CHECK_EQ(epoll_wait(set, got, 4, 0), 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_OK(connect(fd, &at.any, at.length));
	CHECK_EQ(epoll_wait(set, got, 4, 1000), 1);
	CHECK_EQ(got[0].data.fd, listener);
	int other = accept(listener, NULL, NULL);
	CHECK_EQ(epoll_wait(set, got, 4, 0), 0);
	event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
	event.data.fd = other;
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, other, &event));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(epoll_wait(set, got, 4, 1000), 1);
	CHECK_EQ(got[0].events, EPOLLIN);
	CHECK_EQ(epoll_wait(set, got, 4, 0), 0);
	CHECK_OK(shutdown(fd, SHUT_WR));
	CHECK_EQ(epoll_wait(set, got, 4, 1000), 1);
	CHECK_EQ(got[0].events, EPOLLIN | EPOLLRDHUP);

	/* Files and pipes into it, and out of it. */
	int file = open("/dev/zero", O_RDONLY), pipes[2];
	char buffer[16];
	CHECK_OK(pipe(pipes));
	CHECK_EQ(write(pipes[1], "spliced", 7), 7);
	CHECK_EQ(splice(pipes[0], NULL, other, NULL, 7, 0), 7);
	CHECK_EQ(recv(fd, buffer, 7, MSG_WAITALL), 7);
	CHECK_EQ(memcmp(buffer, "spliced", 7), 0);
	CHECK_EQ(send(other, "back", 4, 0), 4);
	CHECK_EQ(splice(fd, NULL, pipes[1], NULL, 4, 0), 4);
	CHECK_EQ(read(pipes[0], buffer, sizeof buffer), 4);
	close(file);
	int self = memfd_create("file", 0);
	CHECK_EQ(write(self, "contents", 8), 8);
	off_t at_start = 0;
	CHECK_EQ(sendfile(other, self, &at_start, 8), 8);
	CHECK_EQ(recv(fd, buffer, 8, MSG_WAITALL), 8);
	CHECK_EQ(memcmp(buffer, "contents", 8), 0);
	close(fd);
	close(other);
	close(listener);
}

static void *serve(void *argument)
{
	int listener = *(int *)argument;
	for (int i = 0; i < 20; i++) {
		int fd = accept(listener, NULL, NULL);
		char buffer[32];
		ssize_t count;
		while ((count = read(fd, buffer, sizeof buffer)) > 0)
			CHECK_EQ(write(fd, buffer, count), count);
		close(fd);
	}
	return NULL;
}

static void threads(void)
{
	struct address at;
	int listener = listening(AF_INET, &at);
	pthread_t server;
	pthread_create(&server, NULL, serve, &listener);
	for (int i = 0; i < 20; i++) {
		char buffer[32];
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		CHECK_OK(connect(fd, &at.any, at.length));
		CHECK_EQ(write(fd, "echo", 4), 4);
		CHECK_EQ(recv(fd, buffer, 4, MSG_WAITALL), 4);
		close(fd);
	}
	pthread_join(server, NULL);
	close(listener);
}

int main(void)
{
	interrupted();
	many();
	epolled();
	threads();
	return check_done();
}
