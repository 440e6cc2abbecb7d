/* poll, select, epoll, timerfd and inotify: what they tell, and each wrong argument.
 *
 * @in scratch
 * @cflags -w
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include "errors.h"

/* The calls have other names where words have 64 bits. */
#ifndef SYS_ppoll_time64
#define SYS_ppoll_time64 SYS_ppoll
#endif
#ifndef SYS_timerfd_settime64
#define SYS_timerfd_settime64 SYS_timerfd_settime
#define SYS_timerfd_gettime64 SYS_timerfd_gettime
#endif

static int ends[2];

static void polling(void)
{
	struct pollfd fds[2] = { { ends[0], POLLIN, 0 }, { CLOSED, POLLIN, 0 } };
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };
	sigset_t set;
	sigemptyset(&set);
	CHECK_EQ(poll(fds, 2, 0), 1);
	CHECK_EQ(fds[1].revents, POLLNVAL);
	fds[1].fd = -1;
	CHECK_EQ(poll(fds, 2, 0), 0);
	CHECK_EQ(fds[1].revents, 0);
	CHECK_ERRNO(poll(BAD, 1, 0), EFAULT);
	CHECK_ERRNO(ppoll(fds, 1, &bad, &set), EINVAL);
	CHECK_ERRNO(ppoll(fds, 1, &negative, NULL), EINVAL);
	CHECK_ERRNO(poll(fds, 1 << 30, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_ppoll_time64, fds, 1, NULL, &set, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_ppoll_time64, fds, 1, NULL, BAD, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_ppoll_time64, fds, 1, BAD, NULL, 8), EFAULT);

	fd_set in;
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	struct timeval now = { 0, 0 };
	CHECK_EQ(select(ends[0] + 1, &in, NULL, NULL, &now), 0);
	FD_SET(60, &in);
	CHECK_ERRNO(select(61, &in, NULL, NULL, &now), EBADF);
	CHECK_ERRNO(select(-1, NULL, NULL, NULL, &now), EINVAL);
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &bad, NULL), EINVAL);
	CHECK_ERRNO(select(10, BAD, NULL, NULL, &now), EFAULT);
}

static void epolling(void)
{
	int set = epoll_create1(0), other = epoll_create1(0), file = open("file", O_RDONLY);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 7 }, got[4];
	struct timespec soon = { 0, 1000000 }, bad = { 0, -1 };
	sigset_t mask;
	sigemptyset(&mask);
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event));
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event), EEXIST);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_MOD, ends[1], &event), ENOENT);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_DEL, ends[1], NULL), ENOENT);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, CLOSED, &event), EBADF);
	CHECK_ERRNO(epoll_ctl(CLOSED, EPOLL_CTL_ADD, ends[0], &event), EBADF);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, set, &event), EINVAL);
	CHECK_ERRNO(epoll_ctl(file, EPOLL_CTL_ADD, ends[0], &event), EINVAL);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, file, &event), EPERM);
	CHECK_ERRNO(epoll_ctl(set, 9, ends[0], &event), EINVAL);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], BAD), EFAULT);
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, other, &event));
	CHECK_ERRNO(epoll_ctl(other, EPOLL_CTL_ADD, set, &event), ELOOP);
	event.events = EPOLLIN | EPOLLEXCLUSIVE;
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &event), EINVAL);
	event.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
	CHECK_ERRNO(epoll_ctl(other, EPOLL_CTL_ADD, ends[0], &event), EINVAL);
	event.events = EPOLLIN | EPOLLEXCLUSIVE;
	CHECK_OK(epoll_ctl(other, EPOLL_CTL_ADD, ends[0], &event));
	CHECK_ERRNO(epoll_ctl(other, EPOLL_CTL_MOD, ends[0], &event), EINVAL);

	CHECK_EQ(epoll_wait(set, got, 4, 0), 0);
	CHECK_EQ(epoll_pwait2(set, got, 4, &soon, NULL), 0);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(epoll_pwait2(set, got, 4, NULL, &mask), 2);
	CHECK_EQ(got[0].data.u64, 7);
	CHECK_EQ(epoll_pwait2(set, got, 1, &soon, NULL), 1);
	CHECK_ERRNO(epoll_wait(CLOSED, got, 4, 0), EBADF);
	CHECK_ERRNO(epoll_wait(file, got, 4, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(set, got, 0, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(set, got, -1, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(set, BAD, 4, 0), EFAULT);
	CHECK_ERRNO(epoll_pwait2(set, got, 4, &bad, NULL), EINVAL);
	CHECK_ERRNO(epoll_pwait2(CLOSED, got, 4, &soon, NULL), EBADF);
	CHECK_ERRNO(epoll_pwait2(file, got, 4, &soon, NULL), EINVAL);
	CHECK_ERRNO(epoll_pwait2(set, BAD, 4, &soon, NULL), EFAULT);
	CHECK_ERRNO(epoll_pwait2(set, got, 0, &soon, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_epoll_pwait2, set, got, 4, BAD, NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_epoll_pwait2, set, got, 4, &soon, BAD, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_epoll_pwait2, set, got, 4, &soon, &mask, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_epoll_pwait, set, got, 4, 0, &mask, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_epoll_pwait, set, got, 4, 0, BAD, 8), EFAULT);
	CHECK_EQ(read(ends[0], got, 1), 1);
}

static void nothing(int signo)
{
	(void)signo;
}

/* A handler ends each way of waiting, whatever SA_RESTART says. */
static void interrupted(void)
{
	int set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct epoll_event got;
	struct timespec long_time = { 60, 0 };
	uint64_t times;
	struct itimerval tick = { { 0, 20000 }, { 0, 20000 } };
	CHECK_OK(handle(SIGALRM, nothing, 0));
	CHECK_OK(setitimer(ITIMER_REAL, &tick, NULL));
	CHECK_ERRNO(epoll_pwait2(set, &got, 1, &long_time, NULL), EINTR);
	CHECK_ERRNO(epoll_wait(set, &got, 1, -1), EINTR);
	CHECK_ERRNO(poll(NULL, 0, -1), EINTR);
	CHECK_ERRNO(select(0, NULL, NULL, NULL, NULL), EINTR);
	CHECK_ERRNO(read(timer, &times, 8), EINTR);
	tick = (struct itimerval){ 0 };
	CHECK_OK(setitimer(ITIMER_REAL, &tick, NULL));
}

static void timers(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), real = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec spec = { { 0, 0 }, { 100, 0 } }, old;
	uint64_t times = 0;
	CHECK_ERRNO(read(fd, &times, 8), EAGAIN);
	CHECK_OK(timerfd_settime(fd, 0, &spec, NULL));
	CHECK_OK(timerfd_gettime(fd, &old));
	CHECK(old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100);
	CHECK_EQ(old.it_interval.tv_sec, 0);
	spec = (struct itimerspec){ { 0, 2000000 }, { 0, 1 } };
	CHECK_OK(timerfd_settime(fd, 0, &spec, &old));
	CHECK(old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100);
	struct pollfd p = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK_ERRNO(read(fd, &times, 7), EINVAL);
	CHECK_EQ(read(fd, &times, 8), 8);
	CHECK(times >= 1);
	spec = (struct itimerspec){ { 0, 0 }, { 0, 0 } };
	CHECK_OK(timerfd_settime(fd, 0, &spec, &old));
	CHECK_EQ(old.it_interval.tv_nsec, 2000000);
	CHECK_OK(timerfd_gettime(fd, &old));
	CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
	/* A moment that is past. */
	spec.it_value.tv_nsec = 1;
	CHECK_OK(timerfd_settime(real, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL));
	CHECK_EQ(read(real, &times, 8), 8);
	CHECK_EQ(times, 1);
	CHECK_ERRNO(timerfd_settime(fd, 8, &spec, NULL), EINVAL);
	spec.it_value.tv_nsec = 1000000000;
	CHECK_ERRNO(timerfd_settime(fd, 0, &spec, NULL), EINVAL);
	spec = (struct itimerspec){ { -1, 0 }, { 1, 0 } };
	CHECK_ERRNO(timerfd_settime(fd, 0, &spec, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_timerfd_settime64, fd, 0, BAD, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_timerfd_gettime64, fd, BAD), EFAULT);
	CHECK_ERRNO(timerfd_gettime(CLOSED, &old), EBADF);
	CHECK_ERRNO(timerfd_gettime(ends[0], &old), EINVAL);
	spec.it_interval.tv_sec = 0;
	CHECK_ERRNO(timerfd_settime(CLOSED, 0, &spec, NULL), EBADF);
	CHECK_ERRNO(timerfd_settime(ends[0], 0, &spec, NULL), EINVAL);
	CHECK_ERRNO(write(fd, &times, 8), EINVAL);
}

static struct inotify_event *next(int fd)
{
	static _Alignas(struct inotify_event) char buffer[4096];
	static ssize_t have, at;
	if (at >= have) {
		at = 0;
		have = read(fd, buffer, sizeof buffer);
		if (have < 0)
			have = 0;
		if (have == 0)
			return NULL;
	}
	struct inotify_event *event = (void *)(buffer + at);
	at += sizeof *event + event->len;
	return event;
}

static void expect(int fd, int watch, uint32_t events, const char *name)
{
	struct inotify_event *event = next(fd);
	CHECK(event);
	if (!event)
		return;
	CHECK_EQ(event->wd, watch);
	CHECK_EQ(event->mask, events);
	CHECK_STR(event->len ? event->name : "", name);
}

static void watching(void)
{
	int fd = inotify_init1(IN_NONBLOCK), dir, file;
	CHECK_OK(dir = inotify_add_watch(fd, "dir", IN_ALL_EVENTS & ~(IN_ACCESS | IN_OPEN | IN_CLOSE_NOWRITE)));
	CHECK_ERRNO(read(fd, (char[64]){ 0 }, 64), EAGAIN);
	int made = creat("dir/made", 0600);
	CHECK_EQ(write(made, "x", 1), 1);
	CHECK_OK(close(made));
	expect(fd, dir, IN_CREATE, "made");
	expect(fd, dir, IN_MODIFY, "made");
	expect(fd, dir, IN_CLOSE_WRITE, "made");
	CHECK_OK(rename("dir/made", "dir/moved"));
	struct inotify_event *from = next(fd);
	uint32_t cookie = from ? from->cookie : 0;
	CHECK(from && from->mask == IN_MOVED_FROM && cookie != 0);
	struct inotify_event *to = next(fd);
	CHECK(to && to->mask == IN_MOVED_TO && to->cookie == cookie);
	CHECK_OK(mkdir("dir/below", 0700));
	expect(fd, dir, IN_CREATE | IN_ISDIR, "below");
	CHECK_OK(chmod("dir/moved", 0400));
	expect(fd, dir, IN_ATTRIB, "moved");
	CHECK_OK(unlink("dir/moved"));
	expect(fd, dir, IN_DELETE, "moved");
	CHECK_OK(rmdir("dir/below"));
	expect(fd, dir, IN_DELETE | IN_ISDIR, "below");

	CHECK_OK(file = inotify_add_watch(fd, "file", IN_MODIFY));
	CHECK_EQ(inotify_add_watch(fd, "file", IN_ATTRIB | IN_MASK_ADD), file);
	CHECK_ERRNO(inotify_add_watch(fd, "file", IN_ATTRIB | IN_MASK_CREATE), EEXIST);
	CHECK_OK(truncate("file", 3));
	expect(fd, file, IN_MODIFY, "");
	CHECK_OK(inotify_rm_watch(fd, file));
	expect(fd, file, IN_IGNORED, "");
	CHECK_OK(file = inotify_add_watch(fd, "file", IN_MODIFY | IN_ONESHOT));
	CHECK_OK(truncate("file", 2));
	CHECK_OK(truncate("file", 5));
	expect(fd, file, IN_MODIFY, "");
	expect(fd, file, IN_IGNORED, "");
	CHECK_ERRNO(inotify_rm_watch(fd, file), EINVAL);
	CHECK_OK(rmdir("dir"));
	expect(fd, dir, IN_DELETE_SELF, "");
	expect(fd, dir, IN_IGNORED, "");
	CHECK(!next(fd));
	CHECK_OK(mkdir("dir", 0700));

	CHECK_PATHS(inotify_add_watch(fd, P, IN_MODIFY));
	CHECK_ERRNO(inotify_add_watch(fd, "file", 0), EINVAL);
	CHECK_ERRNO(inotify_add_watch(fd, "file", IN_MODIFY | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
	CHECK_ERRNO(inotify_add_watch(fd, "file", IN_MODIFY | IN_ONLYDIR), ENOTDIR);
	CHECK_ERRNO(inotify_add_watch(fd, "loop", IN_MODIFY), ELOOP);
	CHECK_OK(inotify_add_watch(fd, "loop", IN_ATTRIB | IN_DONT_FOLLOW));
	CHECK_ERRNO(inotify_add_watch(CLOSED, "file", IN_MODIFY), EBADF);
	CHECK_ERRNO(inotify_add_watch(ends[0], "file", IN_MODIFY), EINVAL);
	CHECK_ERRNO(inotify_rm_watch(CLOSED, 1), EBADF);
	CHECK_ERRNO(inotify_rm_watch(ends[0], 1), EINVAL);
	CHECK_ERRNO(inotify_rm_watch(fd, 99), EINVAL);
	CHECK_ERRNO(write(fd, "", 1), EBADF);
	/* A buffer too small for the event that is first. */
	CHECK_OK(inotify_add_watch(fd, "dir", IN_CREATE));
	CHECK_OK(close(creat("dir/x", 0600)));
	char small[4];
	CHECK_ERRNO(read(fd, small, sizeof small), EINVAL);
}

int main(void)
{
	prepare_paths();
	CHECK_OK(pipe(ends));
	polling();
	epolling();
	interrupted();
	timers();
	watching();
	return check_done();
}
