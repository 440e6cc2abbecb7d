/* signalfd: waiting reads, threads that each read their own, epoll with levels and edges, a new mask while somebody
 * waits, a descriptor that a child has inherited, timers, what is refused.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include "process.h"

static int fd;
static struct gate ready;

static sigset_t set_of(int one, int two)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, one);
	sigaddset(&set, two);
	return set;
}

static int take(int from)
{
	struct signalfd_siginfo info;
	ssize_t got = read(from, &info, sizeof info);
	return got == sizeof info ? (int)info.ssi_signo : got < 0 ? -errno : -1000;
}

/* A signal for this thread alone: only it may see it. */
static void *reader(void *argument)
{
	struct pollfd polled = { fd, POLLIN, 0 };
	gate_open(&ready);
	CHECK_EQ(poll(&polled, 1, -1), 1);
	CHECK_EQ(take(fd), SIGUSR1);
	return argument;
}

static void *waiting_reader(void *argument)
{
	gate_open(&ready);
	CHECK_EQ(take(fd), SIGUSR2);
	return argument;
}

static void on_signal(int signo)
{
	(void)signo;
}

int main(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2), all;
	struct signalfd_siginfo infos[2];
	struct epoll_event event = { .events = EPOLLIN }, got;
	pthread_t one;
	ready = gate();
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	CHECK_OK(sigprocmask(SIG_SETMASK, &all, NULL));
	fd = signalfd(-1, &set, 0);
	CHECK_OK(fd);
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
	struct pollfd polled = { fd, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&polled, 1, 0), 0);

	/* One thread's own signal. */
	CHECK_EQ(pthread_create(&one, NULL, reader, NULL), 0);
	gate_wait(&ready);
	CHECK_EQ(pthread_kill(one, SIGUSR1), 0);
	CHECK_EQ(pthread_join(one, NULL), 0);
	CHECK_EQ(poll(&polled, 1, 0), 0);
	/* The process's, for a thread that waits in read. */
	CHECK_EQ(pthread_create(&one, NULL, waiting_reader, NULL), 0);
	gate_wait(&ready);
	sleep_ms(20);
	CHECK_OK(kill(getpid(), SIGUSR2));
	CHECK_EQ(pthread_join(one, NULL), 0);
	/* The signals of other threads are not for this one. */
	CHECK_EQ(poll(&polled, 1, 0), 0);

	/* epoll: levels, edges, nested. */
	int level = epoll_create1(0), edge = epoll_create1(0), outer = epoll_create1(0);
	CHECK_OK(epoll_ctl(level, EPOLL_CTL_ADD, fd, &event));
	CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, level, &event));
	event.events = EPOLLIN | EPOLLET;
	CHECK_OK(epoll_ctl(edge, EPOLL_CTL_ADD, fd, &event));
	CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(epoll_wait(level, &got, 1, -1), 1);
	CHECK_EQ(got.events, EPOLLIN);
	CHECK_EQ(epoll_wait(level, &got, 1, 0), 1);
	CHECK_EQ(epoll_wait(outer, &got, 1, 0), 1);
	CHECK_EQ(epoll_wait(edge, &got, 1, 0), 1);
	CHECK_EQ(epoll_wait(edge, &got, 1, 0), 0);
	CHECK_OK(kill(getpid(), SIGUSR2));
	CHECK_EQ(epoll_wait(edge, &got, 1, 0), 1);
	CHECK_EQ(take(fd), SIGUSR1);
	CHECK_EQ(epoll_wait(level, &got, 1, 0), 1);
	/* Signals that are taken otherwise are no longer there. */
	CHECK_EQ(sigwaitinfo(&set, NULL), SIGUSR2);
	CHECK_EQ(epoll_wait(level, &got, 1, 0), 0);
	CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
	CHECK_OK(kill(getpid(), SIGUSR2));
	CHECK_OK(handle(SIGUSR2, SIG_IGN, 0));
	CHECK_EQ(epoll_wait(level, &got, 1, 0), 0);
	CHECK_OK(handle(SIGUSR2, SIG_DFL, 0));

	/* A new mask. */
	CHECK_OK(raise(SIGCONT));
	CHECK_OK(raise(SIGHUP));
	CHECK_EQ(epoll_wait(level, &got, 1, 0), 0);
	set = set_of(SIGHUP, SIGUSR1);
	CHECK_EQ(signalfd(fd, &set, SFD_NONBLOCK), fd);
	CHECK_EQ(epoll_wait(level, &got, 1, 0), 1);
	/* Its flags are those of the first call. */
	CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	CHECK_EQ(take(fd), SIGHUP);

	/* Interrupted by a handler. */
	CHECK_OK(handle(SIGALRM, on_signal, 0));
	CHECK_EQ(ualarm(20000, 0), 0);
	CHECK_EQ(take(fd), -EINTR);
	CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	CHECK_EQ(take(fd), -EAGAIN);
	CHECK_ERRNO(write(fd, infos, sizeof infos), EINVAL);

	/* Several at once, in two parts. */
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(raise(SIGHUP));
	struct iovec parts[] = { { infos, sizeof *infos }, { infos + 1, sizeof *infos } };
	CHECK_EQ(readv(fd, parts, 2), 2 * sizeof *infos);
	CHECK_EQ(infos[0].ssi_signo, SIGHUP);
	CHECK_EQ(infos[1].ssi_signo, SIGUSR1);

	/* What a child reads from it are its own signals. */
	CHECK_OK(raise(SIGUSR1));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_EQ(take(fd), -EAGAIN);
		CHECK_EQ(poll(&polled, 1, 0), 0);
		CHECK_OK(raise(SIGHUP));
		CHECK_EQ(poll(&polled, 1, 0), 1);
		CHECK_EQ(take(fd), SIGHUP);
		CHECK_EQ(poll(&polled, 1, 0), 0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(poll(&polled, 1, 0), 1);
	CHECK_EQ(take(fd), SIGUSR1);

	/* A timer says who it is and how often it has expired. */
	timer_t timer;
	struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 31 };
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &how, &timer));
	CHECK_OK(timer_settime(timer, 0, &(struct itimerspec){ { 0, 1000000 }, { 0, 1000000 } }, NULL));
	sleep_ms(20);
	CHECK_EQ(read(fd, infos, sizeof *infos), sizeof *infos);
	CHECK_EQ(infos[0].ssi_code, SI_TIMER);
	CHECK_EQ(infos[0].ssi_int, 31);
	CHECK(infos[0].ssi_overrun > 2);
	CHECK_OK(timer_delete(timer));
	return check_done();
}
