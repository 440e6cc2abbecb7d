/* O_ASYNC: SIGIO, or another signal with its reason, for the owner of a pipe; owners in all their forms.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include "../process.h"

static volatile sig_atomic_t told;
static siginfo_t told_info;

static void tell(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	told_info = *info;
	told++;
}

static int eventually(int count)
{
	for (int i = 0; i < 500 && told < count; i++)
		sleep_ms(10);
	return told >= count;
}

static void owners(void)
{
	int end[2];
	CHECK_OK(pipe(end));
	struct f_owner_ex owner = { .type = F_OWNER_PID };
	CHECK_EQ(fcntl(end[0], F_GETOWN), 0);
	CHECK_OK(fcntl(end[0], F_SETOWN, getpid()));
	CHECK_EQ(fcntl(end[0], F_GETOWN), getpid());
	CHECK_OK(fcntl(end[0], F_GETOWN_EX, &owner));
	CHECK(owner.type == F_OWNER_PID && owner.pid == getpid());
	CHECK_OK(fcntl(end[0], F_SETOWN, -getpgrp()));
	CHECK_EQ(fcntl(end[0], F_GETOWN), -getpgrp());
	CHECK_OK(fcntl(end[0], F_GETOWN_EX, &owner));
	CHECK(owner.type == F_OWNER_PGRP && owner.pid == getpgrp());
	owner = (struct f_owner_ex){ .type = F_OWNER_TID, .pid = getpid() };
	CHECK_OK(fcntl(end[0], F_SETOWN_EX, &owner));
	CHECK_EQ(fcntl(end[0], F_GETOWN), getpid());
	owner.type = 9;
	CHECK_ERRNO(fcntl(end[0], F_SETOWN_EX, &owner), EINVAL);
	CHECK_ERRNO(fcntl(end[0], F_SETOWN, 0x3ffffff), ESRCH);
	CHECK_OK(fcntl(end[0], F_SETOWN, 0));
	CHECK_EQ(fcntl(end[0], F_GETOWN), 0);
	CHECK_EQ(fcntl(end[1], F_GETOWN), 0);
	CHECK_OK(fcntl(end[0], F_SETSIG, SIGUSR1));
	CHECK_EQ(fcntl(end[0], F_GETSIG), SIGUSR1);
	CHECK_ERRNO(fcntl(end[0], F_SETSIG, 65), EINVAL);
	CHECK_OK(fcntl(end[0], F_SETSIG, 0));
	CHECK_EQ(fcntl(end[0], F_GETSIG), 0);
	close(end[0]);
	close(end[1]);
}

static void signals(void)
{
	int end[2], on = 1;
	char byte;
	CHECK_OK(pipe(end));
	CHECK_OK(handle_info(SIGIO, tell, 0));
	CHECK_OK(handle_info(SIGUSR1, tell, 0));
	CHECK_OK(fcntl(end[0], F_SETOWN, getpid()));
	CHECK_EQ(write(end[1], "x", 1), 1);
	sleep_ms(50);
	CHECK_EQ(told, 0);
	CHECK_EQ(read(end[0], &byte, 1), 1);
	CHECK_OK(fcntl(end[0], F_SETFL, O_ASYNC));
	CHECK(fcntl(end[0], F_GETFL) & O_ASYNC);
	CHECK_EQ(write(end[1], "x", 1), 1);
	CHECK(eventually(1));
	CHECK_EQ(told_info.si_signo, SIGIO);
	CHECK_EQ(read(end[0], &byte, 1), 1);

	/* From a child, with a signal of one's own. */
	CHECK_OK(fcntl(end[0], F_SETSIG, SIGUSR1));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_EQ(write(end[1], "y", 1), 1);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK(eventually(2));
	CHECK_EQ(told_info.si_signo, SIGUSR1);
	CHECK_EQ(told_info.si_code, POLL_IN);
	CHECK_EQ(told_info.si_fd, end[0]);
	CHECK(told_info.si_band & POLLIN);
	CHECK_EQ(read(end[0], &byte, 1), 1);

	CHECK_OK(fcntl(end[0], F_SETFL, 0));
	CHECK(!(fcntl(end[0], F_GETFL) & O_ASYNC));
	CHECK_EQ(write(end[1], "x", 1), 1);
	sleep_ms(50);
	CHECK_EQ(told, 2);
	CHECK_EQ(read(end[0], &byte, 1), 1);
	CHECK_OK(ioctl(end[0], FIOASYNC, &on));
	CHECK(fcntl(end[0], F_GETFL) & O_ASYNC);

	/* The whole group. */
	CHECK_OK(fcntl(end[0], F_SETSIG, 0));
	struct gate ready = gate();
	pid = start();
	if (pid == 0) {
		told = 0;
		CHECK_OK(setpgid(0, 0));
		CHECK_OK(fcntl(end[0], F_SETOWN, -getpid()));
		gate_open(&ready);
		CHECK(eventually(1));
		finish();
	}
	gate_wait(&ready);
	CHECK_EQ(write(end[1], "x", 1), 1);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(told, 2);
	close(end[0]);
	close(end[1]);
}

int main(void)
{
	owners();
	signals();
	return check_done();
}
