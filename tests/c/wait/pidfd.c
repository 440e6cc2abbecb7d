/* pidfd_open, pidfd_send_signal, waitid(P_PIDFD), poll on it; CLONE_PIDFD. */
#include <poll.h>
#include <sched.h>
#include <sys/pidfd.h>
#include "process.h"

static int returns(void *argument)
{
	return *(int *)argument;
}

int main(void)
{
	siginfo_t info;
	struct gate go = gate();
	pid_t pid = start();
	if (pid == 0) {
		gate_wait(&go);
		_exit(11);
	}
	int fd = pidfd_open(pid, 0);
	CHECK_OK(fd);
	if (fd < 0)
		return check_done();
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	struct pollfd poll_fd = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&poll_fd, 1, 0), 0);
	CHECK_OK(pidfd_send_signal(fd, 0, NULL, 0));
	gate_open(&go);
	CHECK_EQ(poll(&poll_fd, 1, -1), 1);
	CHECK(poll_fd.revents & POLLIN);
	CHECK_OK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_status, 11);
	CHECK_ERRNO(pidfd_send_signal(fd, 0, NULL, 0), ESRCH);
	CHECK_ERRNO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), ECHILD);
	CHECK_ERRNO(waitid(P_PIDFD, 0, &info, WEXITED), EBADF);
	CHECK_ERRNO(pidfd_open(pid, 0), ESRCH);
	CHECK_ERRNO(pidfd_open(getpid(), 77), EINVAL);
	CHECK_ERRNO(pidfd_open(-1, 0), EINVAL);
	CHECK_OK(close(fd));

	pid = start();
	if (pid == 0)
		return pause();
	fd = pidfd_open(pid, 0);
	CHECK_OK(pidfd_send_signal(fd, SIGTERM, NULL, 0));
	CHECK_OK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
	CHECK_EQ(info.si_status, SIGTERM);
	CHECK_OK(close(fd));

	int value = 12;
	char *stack = malloc(65536);
	fflush(stdout);
	pid = clone(returns, stack + 65536, CLONE_PIDFD | SIGCHLD, &value, &fd);
	CHECK(pid > 0);
	CHECK_OK(waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_status, 12);
	return check_done();
}
