/* signalfd: blocked signals read from a descriptor; poll on it; a child's own signals. */
#include <poll.h>
#include <sys/signalfd.h>
#include "process.h"

int main(void)
{
	sigset_t set;
	struct signalfd_siginfo info[4];
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGCHLD);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK_OK(fd);
	if (fd < 0)
		return check_done();
	CHECK_ERRNO(read(fd, info, sizeof info), EAGAIN);
	CHECK_ERRNO(read(fd, info, 10), EINVAL);
	struct pollfd polled = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&polled, 1, 0), 0);
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 5 }));
	CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 6 }));
	CHECK_EQ(poll(&polled, 1, 0), 1);
	CHECK_EQ(polled.revents, POLLIN);
	CHECK_EQ(read(fd, info, sizeof info), 3 * sizeof *info);
	CHECK_EQ(info[0].ssi_signo, SIGUSR1);
	CHECK_EQ(info[0].ssi_code, SI_TKILL);
	CHECK_EQ(info[1].ssi_int, 5);
	CHECK_EQ(info[2].ssi_int, 6);
	CHECK_EQ(info[2].ssi_pid, getpid());
	CHECK(!is_pending(SIGUSR1));
	pid_t pid = start();
	if (pid == 0)
		_exit(3);
	CHECK_EQ(poll(&polled, 1, -1), 1);
	CHECK_EQ(read(fd, info, sizeof info), sizeof *info);
	CHECK_EQ(info[0].ssi_signo, SIGCHLD);
	CHECK_EQ(info[0].ssi_status, 3);
	CHECK_EQ(info[0].ssi_pid, pid);
	CHECK_EQ(ended(pid), 3);
	sigdelset(&set, SIGUSR1);
	CHECK_EQ(signalfd(fd, &set, 0), fd);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(poll(&polled, 1, 0), 0);
	CHECK_ERRNO(signalfd(0, &set, 0), EINVAL);
	CHECK_ERRNO(signalfd(-1, &set, 0x800000), EINVAL);
	CHECK_ERRNO(signalfd(77, &set, 0), EBADF);
	return check_done();
}
