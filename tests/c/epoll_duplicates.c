/* An epoll set's entries are pairs of a description and a descriptor, and stay until the description is closed. */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "process.h"

static int set;

static int change(int operation, int fd, unsigned events, int data)
{
	struct epoll_event event = { .events = events, .data.u32 = data };
	return epoll_ctl(set, operation, fd, &event);
}

/* The sum of the data of what is ready, with the number of events in front. */
static int ready(void)
{
	struct epoll_event events[8];
	int count = epoll_wait(set, events, 8, 0), sum = 0;
	for (int i = 0; i < count; i++)
		sum += events[i].data.u32;
	return count * 1000 + sum;
}

static void entries(void)
{
	int ends[2];
	set = epoll_create1(0);
	CHECK_OK(pipe(ends));
	int second = dup(ends[0]), third = dup(ends[0]);
	CHECK_OK(change(EPOLL_CTL_ADD, ends[0], EPOLLIN, 1));
	CHECK_ERRNO(change(EPOLL_CTL_ADD, ends[0], EPOLLIN, 1), EEXIST);
	CHECK_ERRNO(change(EPOLL_CTL_MOD, second, EPOLLIN, 2), ENOENT);
	CHECK_ERRNO(change(EPOLL_CTL_DEL, second, 0, 0), ENOENT);
	CHECK_OK(change(EPOLL_CTL_ADD, second, EPOLLIN, 2));
	CHECK_ERRNO(change(EPOLL_CTL_ADD, second, EPOLLIN, 2), EEXIST);
	CHECK_OK(change(EPOLL_CTL_ADD, third, EPOLLIN | EPOLLONESHOT, 4));
	CHECK_EQ(ready(), 0);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(ready(), 3007);
	CHECK_EQ(ready(), 2003);
	CHECK_OK(change(EPOLL_CTL_MOD, third, EPOLLIN, 8));
	CHECK_EQ(ready(), 3011);
	CHECK_OK(change(EPOLL_CTL_MOD, second, 0, 2));
	CHECK_EQ(ready(), 2009);
	CHECK_OK(change(EPOLL_CTL_DEL, ends[0], 0, 0));
	CHECK_ERRNO(change(EPOLL_CTL_DEL, ends[0], 0, 0), ENOENT);
	CHECK_ERRNO(change(EPOLL_CTL_MOD, ends[0], EPOLLIN, 0), ENOENT);
	CHECK_EQ(ready(), 1008);
	CHECK_OK(change(EPOLL_CTL_ADD, ends[0], EPOLLIN, 16));
	CHECK_EQ(ready(), 2024);

	/* A closed duplicate's entry stays, and its number may come to mean another description or the same once more. */
	close(third);
	CHECK_EQ(ready(), 2024);
	CHECK_ERRNO(change(EPOLL_CTL_DEL, third, 0, 0), EBADF);
	CHECK_EQ(dup2(ends[1], third), third);
	CHECK_ERRNO(change(EPOLL_CTL_MOD, third, EPOLLIN, 0), ENOENT);
	CHECK_OK(change(EPOLL_CTL_ADD, third, EPOLLOUT, 32));
	CHECK_EQ(ready(), 3056);
	CHECK_EQ(dup2(ends[0], third), third);
	CHECK_ERRNO(change(EPOLL_CTL_ADD, third, EPOLLIN, 0), EEXIST);
	CHECK_OK(change(EPOLL_CTL_DEL, third, 0, 0));
	CHECK_EQ(ready(), 2048);
	close(third);

	/* The last duplicate takes all of them along, and the other end sees that nobody reads. */
	close(ends[0]);
	CHECK_EQ(ready(), 2048);
	close(second);
	CHECK_EQ(ready(), 1032);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(ends[1], "x", 1), EPIPE);
	close(ends[1]);
	CHECK_EQ(ready(), 0);
	close(set);
}

static void sets(void)
{
	int event = eventfd(1, 0), copy = dup(event), first = epoll_create1(0), other = epoll_create1(0);
	set = first;
	CHECK_OK(change(EPOLL_CTL_ADD, event, EPOLLIN, 1));
	set = other;
	CHECK_ERRNO(change(EPOLL_CTL_DEL, event, 0, 0), ENOENT);
	CHECK_OK(change(EPOLL_CTL_ADD, copy, EPOLLIN, 2));
	CHECK_OK(change(EPOLL_CTL_ADD, event, EPOLLIN, 4));
	CHECK_EQ(ready(), 2006);
	set = first;
	CHECK_EQ(ready(), 1001);
	close(first);
	/* Many sets come and go. */
	for (int i = 0; i < 300; i++) {
		set = epoll_create1(0);
		CHECK_OK(change(EPOLL_CTL_ADD, event, EPOLLIN, 1));
		CHECK_OK(change(EPOLL_CTL_ADD, copy, EPOLLIN, 2));
		CHECK_EQ(ready(), 2003);
		close(set);
	}
	set = other;
	CHECK_ERRNO(change(EPOLL_CTL_ADD, other, EPOLLIN, 1), EINVAL);
	int file = open("/proc/self/exe", O_RDONLY);
	CHECK_ERRNO(change(EPOLL_CTL_ADD, file, EPOLLIN, 1), EPERM);
	CHECK_ERRNO(change(EPOLL_CTL_DEL, file, 0, 0), EPERM);
	close(file);

	/* A child's descriptors are duplicates with the same numbers. */
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(change(EPOLL_CTL_MOD, copy, EPOLLIN, 8));
		CHECK_OK(change(EPOLL_CTL_DEL, event, 0, 0));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(ready(), 1008);
	close(copy);
	close(event);
	CHECK_EQ(ready(), 0);
	close(other);
}

/* The same for what is not a file of a file system or a pipe. */
static void signals(void)
{
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	int fd = signalfd(-1, &mask, 0), copy = dup(fd);
	set = epoll_create1(0);
	CHECK_OK(change(EPOLL_CTL_ADD, fd, EPOLLIN, 1));
	CHECK_ERRNO(change(EPOLL_CTL_DEL, copy, 0, 0), ENOENT);
	CHECK_OK(change(EPOLL_CTL_ADD, copy, EPOLLIN, 2));
	CHECK_EQ(ready(), 0);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(ready(), 2003);
	CHECK_OK(change(EPOLL_CTL_DEL, fd, 0, 0));
	CHECK_EQ(ready(), 1002);
	close(copy);
	CHECK_EQ(ready(), 1002);
	close(fd);
	CHECK_EQ(ready(), 0);
	close(set);
}

int main(void)
{
	entries();
	sets();
	signals();
	return check_done();
}
