/* Which blocked calls go on after a handler with SA_RESTART, and which end with EINTR whatever the flag says. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/uio.h>
#include "process.h"

static volatile int calls;
static int fill = -1, drain = -1;

static void on_alarm(int signo)
{
	int saved = errno;
	char block[4096];
	(void)signo;
	calls++;
	/* At the fifth one the blocked call can go on. */
	if (calls >= 5 && fill >= 0 && write(fill, "w", 1) != 1)
		_exit(97);
	if (calls >= 5 && drain >= 0)
		for (int i = 0; i < 16; i++)
			if (read(drain, block, sizeof block) < 0)
				break;
	errno = saved;
}

static void every_3_ms(int flags)
{
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	calls = 0;
	CHECK_OK(handle(SIGALRM, on_alarm, flags));
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
}

static void off(void)
{
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
	fill = drain = -1;
}

int main(void)
{
	int p[2], full[2];
	char byte = 0, block[4096] = "";
	CHECK_OK(pipe(p));
	CHECK_OK(pipe(full));
	CHECK_OK(fcntl(full[1], F_SETFL, O_NONBLOCK));
	while (write(full[1], block, sizeof block) > 0)
		;
	CHECK_OK(fcntl(full[1], F_SETFL, 0));
	CHECK_OK(fcntl(full[0], F_SETFL, O_NONBLOCK));

	every_3_ms(0);
	CHECK_ERRNO(read(p[0], &byte, 1), EINTR);
	CHECK_ERRNO(readv(p[0], &(struct iovec){ &byte, 1 }, 1), EINTR);
	CHECK_ERRNO(write(full[1], "x", 1), EINTR);
	CHECK_ERRNO(write(full[1], block, sizeof block), EINTR);
	off();

	every_3_ms(SA_RESTART);
	fill = p[1];
	CHECK_EQ(read(p[0], &byte, 1), 1);
	off();
	CHECK(calls >= 5);
	CHECK_EQ(byte, 'w');
	every_3_ms(SA_RESTART);
	drain = full[0];
	CHECK_EQ(write(full[1], block, sizeof block), sizeof block);
	off();
	CHECK(calls >= 5);

	/* These are never restarted. */
	struct timespec longer = { 100, 0 }, left;
	struct pollfd polled = { p[0], POLLIN, 0 };
	fd_set set;
	CHECK_OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
	while (read(p[0], block, sizeof block) > 0)
		;
	CHECK_OK(fcntl(p[0], F_SETFL, 0));
	every_3_ms(SA_RESTART);
	CHECK_ERRNO(nanosleep(&longer, &left), EINTR);
	CHECK(left.tv_sec >= 90 && left.tv_sec < 100);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &longer, &left), EINTR);
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 100;
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), EINTR);
	CHECK(sleep(100) > 90);
	CHECK_ERRNO(poll(&polled, 1, -1), EINTR);
	CHECK_ERRNO(poll(NULL, 0, 100000), EINTR);
	CHECK_ERRNO(ppoll(&polled, 1, NULL, NULL), EINTR);
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	CHECK_ERRNO(select(p[0] + 1, &set, NULL, NULL, NULL), EINTR);
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &longer, NULL), EINTR);
	/* select says what was left. */
	struct timeval rest = { 100, 0 };
	CHECK_ERRNO(select(0, NULL, NULL, NULL, &rest), EINTR);
	CHECK(rest.tv_sec > 50 && rest.tv_sec < 100);
	int epoll = epoll_create1(0);
	struct epoll_event event;
	CHECK_ERRNO(epoll_wait(epoll, &event, 1, -1), EINTR);
	CHECK_ERRNO(epoll_pwait(epoll, &event, 1, 100000, NULL), EINTR);
	CHECK_ERRNO(pause(), EINTR);
	off();
	return check_done();
}
