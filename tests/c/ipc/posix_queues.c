/* POSIX message queues: priorities, limits, blocking, poll and epoll, notification.
 */
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include "ipc.h"

static char name[64];

static mqd_t open_new(int flags, long messages, long size)
{
	struct mq_attr attr = { .mq_maxmsg = messages, .mq_msgsize = size };
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &attr);
	CHECK_OK(queue);
	return queue;
}

static int send_text(mqd_t queue, const char *text, unsigned priority)
{
	return mq_send(queue, text, strlen(text) + 1, priority);
}

static const char *receive(mqd_t queue, unsigned *priority)
{
	static char text[8192];
	memset(text, 0, sizeof text);
	return mq_receive(queue, text, sizeof text, priority) < 0 ? strerrorname_np(errno) : text;
}

static void names(void)
{
	CHECK_ERRNO(mq_open("no_slash", O_RDWR), EINVAL);
	CHECK_ERRNO(mq_open("/", O_RDWR), ENOENT);
	CHECK_ERRNO(mq_open("/two/parts", O_RDWR), EACCES);
	CHECK_ERRNO(mq_open(name, O_RDWR), ENOENT);
	CHECK_ERRNO(mq_unlink(name), ENOENT);
	char big[300] = "/";
	memset(big + 1, 'x', 256);
	CHECK_ERRNO(mq_open(big, O_RDWR), ENAMETOOLONG);
	CHECK_ERRNO(mq_open(big, O_RDWR | O_CREAT, 0600, NULL), ENAMETOOLONG);

	mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
	CHECK_OK(queue);
	struct mq_attr attr;
	CHECK_OK(mq_getattr(queue, &attr));
	CHECK(attr.mq_flags == 0 && attr.mq_maxmsg == 10 && attr.mq_msgsize == 8192 && attr.mq_curmsgs == 0);
	CHECK(fcntl(queue, F_GETFD) & FD_CLOEXEC);
	CHECK_ERRNO(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST);
	CHECK_ERRNO(mq_open(name, 3), EINVAL);
	attr.mq_maxmsg = 99999;
	mqd_t same = mq_open(name, O_RDONLY | O_CREAT, 0600, &attr);
	CHECK_OK(same);
	CHECK_ERRNO(mq_send(same, "", 1, 0), EBADF);
	CHECK_OK(send_text(queue, "text", 1));
	CHECK_STR(receive(same, NULL), "text");
	CHECK_OK(mq_close(same));
	mqd_t sender = mq_open(name, O_WRONLY);
	CHECK_STR(receive(sender, NULL), "EBADF");
	CHECK_OK(mq_close(sender));
	CHECK_ERRNO(mq_close(sender), EBADF);
	CHECK_ERRNO(mq_getattr(0, &attr), EBADF);
	CHECK_ERRNO(mq_send(0, "", 1, 0), EBADF);
	CHECK_ERRNO(mq_send(99, "", 1, 0), EBADF);

	/* The name goes, the queue stays with who has it. */
	CHECK_OK(mq_unlink(name));
	CHECK_ERRNO(mq_open(name, O_RDWR), ENOENT);
	CHECK_OK(send_text(queue, "still here", 1));
	mqd_t another = open_new(O_NONBLOCK, 1, 1);
	CHECK_OK(mq_getattr(another, &attr));
	CHECK(attr.mq_flags == O_NONBLOCK && attr.mq_maxmsg == 1 && attr.mq_msgsize == 1 && attr.mq_curmsgs == 0);
	CHECK_STR(receive(queue, NULL), "still here");
	CHECK_OK(mq_close(queue));
	CHECK_OK(mq_close(another));
	CHECK_OK(mq_unlink(name));

	struct mq_attr bad[] = { { .mq_maxmsg = 0, .mq_msgsize = 1 }, { .mq_maxmsg = 1, .mq_msgsize = 0 },
				 { .mq_maxmsg = -1, .mq_msgsize = 1 }, { .mq_maxmsg = 11, .mq_msgsize = 1 },
				 { .mq_maxmsg = 1, .mq_msgsize = 8193 } };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_ERRNO(mq_open(name, O_RDWR | O_CREAT, 0600, &bad[i]), EINVAL);
	CHECK_ERRNO(mq_unlink(name), ENOENT);
}

static void permissions(void)
{
	umask(022);
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0466, NULL);
	CHECK_OK(queue);
	CHECK_ERRNO(mq_open(name, O_RDWR), EACCES);
	CHECK_ERRNO(mq_open(name, O_WRONLY), EACCES);
	mqd_t reader = mq_open(name, O_RDONLY);
	CHECK_OK(reader);
	CHECK_OK(mq_close(reader));
	CHECK_OK(mq_close(queue));
	CHECK_OK(mq_unlink(name));
}

static void order(void)
{
	mqd_t queue = open_new(O_NONBLOCK, 10, 100);
	unsigned priority = 99;
	CHECK_STR(receive(queue, &priority), "EAGAIN");
	CHECK_OK(send_text(queue, "low", 1));
	CHECK_OK(send_text(queue, "high", 32767));
	CHECK_OK(send_text(queue, "none", 0));
	CHECK_OK(send_text(queue, "low again", 1));
	CHECK_ERRNO(send_text(queue, "too high", 32768), EINVAL);
	struct mq_attr attr;
	CHECK_OK(mq_getattr(queue, &attr));
	CHECK_EQ(attr.mq_curmsgs, 4);
	CHECK_STR(receive(queue, &priority), "high");
	CHECK_EQ(priority, 32767);
	CHECK_STR(receive(queue, &priority), "low");
	CHECK_STR(receive(queue, &priority), "low again");
	CHECK_EQ(priority, 1);
	CHECK_STR(receive(queue, NULL), "none");
	char text[101];
	CHECK_ERRNO(mq_send(queue, text, 101, 0), EMSGSIZE);
	CHECK_ERRNO(mq_receive(queue, text, 99, NULL), EMSGSIZE);
	CHECK_OK(mq_send(queue, text, 0, 0));
	CHECK_EQ(mq_receive(queue, text, 101, NULL), 0);
	CHECK_ERRNO(mq_send(queue, (char *)1, 10, 0), EFAULT);
	for (int i = 0; i < 10; i++)
		CHECK_OK(send_text(queue, "full", i));
	CHECK_ERRNO(send_text(queue, "more", 0), EAGAIN);
	CHECK_OK(mq_close(queue));
	CHECK_OK(mq_unlink(name));
}

static void nothing(int signo)
{
	(void)signo;
}

static void blocking(void)
{
	mqd_t queue = open_new(0, 2, 100);
	struct timespec past = { 1, 0 }, bad = { 0, -1 }, soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 30000000;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	char text[100];
	CHECK_ERRNO(mq_timedreceive(queue, text, 100, NULL, &past), ETIMEDOUT);
	CHECK_ERRNO(mq_timedreceive(queue, text, 100, NULL, &bad), EINVAL);
	CHECK_ERRNO(mq_timedreceive(queue, text, 100, NULL, &soon), ETIMEDOUT);
	CHECK_OK(mq_timedsend(queue, "a", 2, 0, &past));
	CHECK_OK(mq_timedsend(queue, "b", 2, 0, &past));
	CHECK_ERRNO(mq_timedsend(queue, "c", 2, 0, &past), ETIMEDOUT);
	CHECK_STR(receive(queue, NULL), "a");
	CHECK_STR(receive(queue, NULL), "b");

	pid_t pid = start();
	if (pid == 0) {
		CHECK_STR(receive(queue, NULL), "for the child");
		for (int i = 0; i < 5; i++)
			CHECK_OK(send_text(queue, "back", i));
		finish();
	}
	sleep_ms(30);
	CHECK_OK(send_text(queue, "for the child", 0));
	sleep_ms(50);
	for (int i = 0; i < 5; i++)
		CHECK_STR(receive(queue, NULL), "back");
	CHECK_EQ(ended(pid), 0);

	struct gate next = gate();
	handle(SIGUSR1, nothing, 0);
	pid = start();
	if (pid == 0) {
		CHECK_ERRNO(mq_receive(queue, text, 100, NULL), EINTR);
		handle(SIGUSR1, nothing, SA_RESTART);
		gate_open(&next);
		CHECK_STR(receive(queue, NULL), "after all");
		finish();
	}
	signal_until(pid, SIGUSR1, &next);
	sleep_ms(50);
	kill(pid, SIGUSR1);
	sleep_ms(20);
	CHECK_OK(send_text(queue, "after all", 0));
	CHECK_EQ(ended(pid), 0);

	/* O_NONBLOCK can be set later, and is the description's. */
	struct mq_attr attr = { .mq_flags = O_NONBLOCK }, old;
	int copy = dup(queue);
	CHECK_OK(mq_setattr(queue, &attr, &old));
	CHECK_EQ(old.mq_flags, 0);
	CHECK_STR(receive(copy, NULL), "EAGAIN");
	CHECK(fcntl(copy, F_GETFL) & O_NONBLOCK);
	attr.mq_flags = 1;
	CHECK_ERRNO(mq_setattr(queue, &attr, NULL), EINVAL);
	attr.mq_flags = 0;
	CHECK_OK(mq_setattr(copy, &attr, NULL));
	CHECK(!(fcntl(queue, F_GETFL) & O_NONBLOCK));
	close(copy);
	CHECK_OK(mq_close(queue));
	CHECK_OK(mq_unlink(name));
}

static int events(int fd)
{
	struct pollfd poll_fd = { fd, POLLIN | POLLOUT, 0 };
	CHECK_OK(poll(&poll_fd, 1, 0));
	return poll_fd.revents;
}

static void readiness(void)
{
	mqd_t queue = open_new(0, 2, 100);
	CHECK_EQ(events(queue), POLLOUT);
	CHECK_OK(send_text(queue, "one", 0));
	CHECK_EQ(events(queue), POLLIN | POLLOUT);
	CHECK_OK(send_text(queue, "two", 0));
	CHECK_EQ(events(queue), POLLIN);
	mqd_t other = mq_open(name, O_RDWR);
	int set = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 1 };
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, queue, &event));
	event.data.u32 = 2;
	event.events = EPOLLIN | EPOLLET;
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, other, &event));
	struct epoll_event ready[4];
	CHECK_EQ(epoll_wait(set, ready, 4, 0), 2);
	CHECK_EQ(epoll_wait(set, ready, 4, 0), 1);
	CHECK_EQ(ready[0].data.u32, 1);
	receive(queue, NULL);
	receive(queue, NULL);
	CHECK_EQ(epoll_wait(set, ready, 4, 0), 0);
	CHECK_EQ(events(other), POLLOUT);
	pid_t pid = start();
	if (pid == 0) {
		sleep_ms(50);
		CHECK_OK(send_text(queue, "wake", 0));
		finish();
	}
	CHECK_EQ(epoll_wait(set, ready, 4, 5000) > 0, 1);
	struct pollfd poll_fd = { queue, POLLIN, 0 };
	CHECK_EQ(poll(&poll_fd, 1, 5000), 1);
	CHECK_EQ(ended(pid), 0);
	close(set);
	CHECK_OK(mq_close(other));
	CHECK_OK(mq_close(queue));
	CHECK_OK(mq_unlink(name));
}

static volatile sig_atomic_t told;
static siginfo_t told_info;

static void tell(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	told_info = *info;
	told++;
}

static void notification(void)
{
	mqd_t queue = open_new(0, 5, 100);
	handle_info(SIGUSR2, tell, 0);
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 77 };
	CHECK_OK(mq_notify(queue, &event));
	CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
	pid_t pid = start();
	if (pid == 0) {
		CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
		CHECK_OK(mq_notify(queue, NULL));
		CHECK_OK(send_text(queue, "first", 0));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	EVENTUALLY(told == 1);
	CHECK_EQ(told_info.si_code, SI_MESGQ);
	CHECK_EQ(told_info.si_pid, pid);
	CHECK_EQ(told_info.si_uid, getuid());
	CHECK_EQ(told_info.si_value.sival_int, 77);
	/* Once only, and only for the first message. */
	CHECK_OK(send_text(queue, "second", 0));
	CHECK_OK(mq_notify(queue, &event));
	CHECK_OK(send_text(queue, "third", 0));
	CHECK_EQ(told, 1);
	for (int i = 0; i < 3; i++)
		receive(queue, NULL);
	CHECK_OK(mq_notify(queue, NULL));
	CHECK_OK(send_text(queue, "fourth", 0));
	CHECK_EQ(told, 1);
	receive(queue, NULL);

	/* Who waits for the message gets it, and nobody is told. */
	struct gate ready = gate();
	pid = start();
	if (pid == 0) {
		gate_open(&ready);
		CHECK_STR(receive(queue, NULL), "for the child");
		finish();
	}
	gate_wait(&ready);
	sleep_ms(500);
	CHECK_OK(mq_notify(queue, &event));
	CHECK_OK(send_text(queue, "for the child", 0));
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(told, 1);
	CHECK_OK(send_text(queue, "tell", 0));
	EVENTUALLY(told == 2);
	CHECK_EQ(told_info.si_pid, getpid());
	receive(queue, NULL);

	/* Any close by the process ends it. */
	CHECK_OK(mq_notify(queue, &event));
	mqd_t other = mq_open(name, O_RDWR);
	CHECK_OK(mq_close(other));
	event.sigev_notify = SIGEV_NONE;
	CHECK_OK(mq_notify(queue, &event));
	CHECK_OK(send_text(queue, "silence", 0));
	CHECK_EQ(told, 2);
	event.sigev_notify = 9;
	CHECK_ERRNO(mq_notify(queue, &event), EINVAL);
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = 65;
	CHECK_ERRNO(mq_notify(queue, &event), EINVAL);
	event.sigev_signo = SIGUSR2;
	CHECK_ERRNO(mq_notify(0, &event), EBADF);

	/* And so does the end of the process. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(mq_notify(queue, &event));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(mq_notify(queue, &event));
	CHECK_OK(mq_close(queue));
	CHECK_OK(mq_unlink(name));
}

int main(void)
{
	as_nobody();
	snprintf(name, sizeof name, "/lind-test-%d", (int)getpid());
	names();
	permissions();
	order();
	blocking();
	readiness();
	notification();
	return check_done();
}
