/* pidfds in epoll sets, without waiting, of this process, of threads; pidfd_getfd; what can be done with one; clone3. */
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "process.h"

#ifndef PIDFD_NONBLOCK
#define PIDFD_NONBLOCK O_NONBLOCK
#endif

static volatile pid_t tid;

static void *thread(void *argument)
{
	tid = gettid();
	gate_wait(argument);
	return NULL;
}

static pid_t clone3_pidfd(int *fd, unsigned flags)
{
	struct clone_args arguments = { .flags = CLONE_PIDFD | flags, .pidfd = (uintptr_t)fd, .exit_signal = SIGCHLD };
	fflush(stdout);
	return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

int main(void)
{
	siginfo_t info;
	struct stat stat;
	char byte, link[64], target[64];
	struct gate go = gate(), words = gate();
	/* Without waiting. */
	pid_t pid = start();
	if (pid == 0) {
		int fd = open("/dev/null", O_RDONLY);
		CHECK_EQ(dup2(fd, 77), 77);
		gate_open(&words);
		gate_wait(&go);
		_exit(5);
	}
	int fd = pidfd_open(pid, PIDFD_NONBLOCK);
	CHECK_OK(fd);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), EAGAIN);
	info.si_pid = 1;
	CHECK_OK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG));
	CHECK_EQ(info.si_pid, 0);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	/* It cannot be read or written. */
	CHECK_ERRNO(read(fd, &byte, 1), EINVAL);
	CHECK_ERRNO(write(fd, &byte, 1), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	CHECK_OK(fstat(fd, &stat));
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, target, sizeof target - 1);
	CHECK(length > 0);
	target[length < 0 ? 0 : length] = 0;
	CHECK_STR(target, "anon_inode:[pidfd]");
	/* A descriptor of another process's. */
	gate_wait(&words);
	int got = pidfd_getfd(fd, 77, 0);
	CHECK_OK(got);
	CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(got, &byte, 1), 0);
	CHECK_OK(close(got));
	CHECK_ERRNO(pidfd_getfd(fd, 78, 0), EBADF);
	CHECK_ERRNO(pidfd_getfd(fd, 77, 1), EINVAL);
	CHECK_ERRNO(pidfd_getfd(0, 77, 0), EBADF);
	/* Two of the same process in one epoll set, beside a pipe. */
	int other = pidfd_open(pid, 0), set = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.u32 = 1 }, events[4];
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), EEXIST);
	event.data.u32 = 2;
	event.events |= EPOLLET;
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, other, &event));
	event = (struct epoll_event){ .events = EPOLLIN, .data.u32 = 3 };
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, words.end[0], &event));
	CHECK_EQ(epoll_wait(set, events, 4, 0), 0);
	struct pollfd polled[] = { { fd, POLLIN | POLLOUT, 0 }, { set, POLLIN, 0 }, { words.end[1], POLLOUT, 0 } };
	CHECK_EQ(poll(polled, 2, 0), 0);
	CHECK_EQ(poll(polled, 3, 0), 1);
	gate_open(&go);
	CHECK(poll(polled, 1, -1) == 1);
	CHECK_EQ(polled[0].revents, POLLIN);
	CHECK_EQ(poll(polled + 1, 1, -1), 1);
	CHECK_EQ(poll(&(struct pollfd){ other, POLLIN, 0 }, 1, -1), 1);
	CHECK_EQ(epoll_wait(set, events, 4, -1), 2);
	CHECK_EQ(events[0].events, EPOLLIN);
	CHECK_EQ(events[0].data.u32 + events[1].data.u32, 3);
	/* The edge has been, the level has not. */
	CHECK_EQ(epoll_wait(set, events, 4, 0), 1);
	CHECK_EQ(events[0].data.u32, 1);
	fd_set readable;
	FD_ZERO(&readable);
	FD_SET(fd, &readable);
	CHECK_EQ(select(fd + 1, &readable, NULL, NULL, NULL), 1);
	/* A process that has ended is there until it is reaped. */
	int late = pidfd_open(pid, 0);
	CHECK_OK(late);
	CHECK_EQ(poll(&(struct pollfd){ late, POLLIN, 0 }, 1, 0), 1);
	CHECK_OK(pidfd_send_signal(late, SIGTERM, NULL, 0));
	CHECK_EQ(pidfd_getfd(late, 77, 0), -1);
	CHECK_OK(waitid(P_PIDFD, (id_t)late, &info, WEXITED | WNOWAIT));
	CHECK_EQ(ended(pid), 5);
	CHECK_ERRNO(pidfd_getfd(late, 77, 0), ESRCH);
	CHECK_EQ(poll(&(struct pollfd){ late, POLLIN, 0 }, 1, 0), 1);
	CHECK_OK(close(fd));
	CHECK_OK(close(other));
	CHECK_EQ(epoll_wait(set, events, 4, 0), 0);

	/* Of this process; with a siginfo; what is refused. */
	fd = pidfd_open(getpid(), 0);
	CHECK_OK(fd);
	mask(SIG_BLOCK, SIGUSR1);
	mask(SIG_BLOCK, SIGRTMIN);
	CHECK_OK(pidfd_send_signal(fd, SIGUSR1, NULL, 0));
	siginfo_t sent = { .si_signo = SIGRTMIN, .si_code = SI_QUEUE, .si_value.sival_int = 9 };
	CHECK_OK(pidfd_send_signal(fd, SIGRTMIN, &sent, 0));
	CHECK_ERRNO(pidfd_send_signal(fd, SIGUSR1, &sent, 0), EINVAL);
	CHECK_ERRNO(pidfd_send_signal(fd, 99, NULL, 0), EINVAL);
	CHECK_ERRNO(pidfd_send_signal(0, 0, NULL, 0), EBADF);
	CHECK_ERRNO(pidfd_send_signal(late, 0, NULL, 0), ESRCH);
	CHECK_ERRNO(pidfd_send_signal(fd, 0, NULL, 4096), EINVAL);
	CHECK_ERRNO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), ECHILD);
	sigset_t both;
	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGRTMIN);
	CHECK_EQ(sigwaitinfo(&both, &info), SIGUSR1);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, getpid());
	CHECK_EQ(sigwaitinfo(&both, &info), SIGRTMIN);
	CHECK_EQ(info.si_value.sival_int, 9);
	/* A thread that is not its process's first has none. */
	pthread_t one;
	CHECK_EQ(pthread_create(&one, NULL, thread, &go), 0);
	while (tid == 0)
		sched_yield();
	CHECK_EQ(pidfd_open(tid, 0), -1);
	gate_open(&go);
	pthread_join(one, NULL);

	/* From clone3: the child has no descriptor of itself. */
	fd = -1;
	pid = clone3_pidfd(&fd, 0);
	if (pid == 0)
		_exit(fcntl(fd, F_GETFD) < 0 && errno == EBADF ? 6 : 7);
	CHECK(pid > 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_OK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
	CHECK_EQ(info.si_status, 6);
	int next = dup(0);
	CHECK_OK(close(next));
	CHECK_ERRNO(clone3_pidfd((int *)16, 0), EFAULT);
	CHECK_ERRNO(clone3_pidfd(&fd, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM), EINVAL);
	/* What failed has left nothing behind. */
	CHECK_EQ(dup(0), next);
	CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
	return check_done();
}
