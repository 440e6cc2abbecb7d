/* Process groups and sessions: setpgid, getpgid, setsid, getsid and their errors. */
#include "process.h"

static void leader(void)
{
	pid_t self = getpid(), before = getsid(0);
	CHECK_EQ(setsid(), self);
	CHECK_EQ(getsid(0), self);
	CHECK_EQ(getpgrp(), self);
	CHECK(before != self);
	/* A leader of a session or group cannot make another session; nor can a session leader change its group. */
	CHECK_ERRNO(setsid(), EPERM);
	CHECK_ERRNO(setpgid(0, 0), EPERM);
	pid_t child = start();
	if (child == 0) {
		CHECK_EQ(getsid(0), self);
		CHECK_EQ(getpgrp(), self);
		CHECK_OK(setpgid(0, 0));
		CHECK_EQ(getpgrp(), getpid());
		CHECK_EQ(getsid(0), self);
		CHECK_ERRNO(setsid(), EPERM);
		CHECK_OK(setpgid(0, self));
		CHECK_OK(setsid());
		finish();
	}
	CHECK_EQ(ended(child), 0);
	/* No terminal. */
	CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

static void groups(void)
{
	struct gate go = gate();
	pid_t own = getpgrp(), a, b;
	if ((a = start()) == 0) {
		gate_wait(&go);
		finish();
	}
	if ((b = start()) == 0) {
		gate_wait(&go);
		finish();
	}
	CHECK_EQ(getpgid(a), own);
	CHECK_OK(setpgid(a, a));
	CHECK_EQ(getpgid(a), a);
	CHECK_OK(setpgid(b, a));
	CHECK_EQ(getpgid(b), a);
	CHECK_EQ(getsid(b), getsid(0));
	CHECK_ERRNO(setpgid(a, -1), EINVAL);
	CHECK_ERRNO(setpgid(-5, 7), ESRCH);
	CHECK_ERRNO(setpgid(b, 0x3ffffff), EPERM);
	CHECK_ERRNO(setpgid(getppid(), 0), ESRCH);
	CHECK_ERRNO(getpgid(-1), ESRCH);
	CHECK_ERRNO(getpgid(0x3ffffff), ESRCH);
	CHECK_ERRNO(getsid(0x3ffffff), ESRCH);
	CHECK_OK(setpgid(b, b));
	gate_open(&go);
	gate_open(&go);
	/* Zombies still have their numbers. */
	siginfo_t info;
	CHECK_OK(waitid(P_PID, (id_t)a, &info, WEXITED | WNOWAIT));
	CHECK_EQ(getpgid(a), a);
	CHECK_EQ(ended(a), 0);
	CHECK_ERRNO(getpgid(a), ESRCH);
	CHECK_EQ(ended(b), 0);
}

static char *self;

static void after_exec(void)
{
	struct gate go = gate();
	fcntl(go.end[1], F_SETFD, FD_CLOEXEC);
	pid_t child = start();
	if (child == 0) {
		char in[12];
		snprintf(in, sizeof in, "%d", go.end[0]);
		execl(self, self, in, (char *)NULL);
		_exit(1);
	}
	/* The pipe's end in the child closes with its exec: then it is too late for setpgid. */
	close(go.end[1]);
	char byte;
	CHECK_EQ(read(go.end[0], &byte, 1), 0);
	CHECK_ERRNO(setpgid(child, child), EACCES);
	kill(child, SIGKILL);
	CHECK_EQ(ended(child), 137);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return pause();
	self = argv[0];
	CHECK_EQ(in_child(leader), 0);
	groups();
	after_exec();
	/* A child of another session is out of reach. */
	struct gate ready = gate(), go = gate();
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(setsid());
		gate_open(&ready);
		gate_wait(&go);
		finish();
	}
	gate_wait(&ready);
	CHECK_EQ(getsid(pid), pid);
	CHECK_ERRNO(setpgid(pid, pid), EPERM);
	gate_open(&go);
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
