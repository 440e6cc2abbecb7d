/* kill: processes, groups, all; null signals, zombies, rights. */
#include "process.h"

static struct gate ready;

static pid_t sleeper(pid_t group)
{
	pid_t pid = start();
	if (pid == 0) {
		if (group >= 0)
			CHECK_OK(setpgid(0, group));
		gate_open(&ready);
		for (;;)
			pause();
	}
	gate_wait(&ready);
	return pid;
}

static volatile int calls;

static void on_signal(int signo)
{
	(void)signo;
	calls++;
}

static void own_group(void)
{
	CHECK_OK(setpgid(0, 0));
	CHECK_OK(handle(SIGUSR1, on_signal, 0));
	pid_t pid = start();
	if (pid == 0) {
		while (calls == 0)
			usleep(500);
		_exit(41);
	}
	pid_t other = sleeper(0);
	CHECK_OK(kill(0, SIGUSR1));
	CHECK_EQ(calls, 1);
	CHECK_EQ(ended(pid), 41);
	CHECK_OK(killpg(0, 0));
	CHECK_OK(killpg(other, SIGTERM));
	CHECK_EQ(ended(other), 143);
}

int main(void)
{
	ready = gate();
	pid_t a = sleeper(0), b = sleeper(a), c = sleeper(-1);
	CHECK_OK(kill(-a, 0));
	CHECK_OK(kill(-a, SIGTERM));
	CHECK_EQ(ended(b), 143);
	CHECK_EQ(ended(a), 143);
	CHECK_ERRNO(kill(-a, SIGTERM), ESRCH);
	CHECK_ERRNO(kill(a, 0), ESRCH);
	CHECK_OK(kill(c, 0));
	CHECK_OK(kill(c, SIGINT));
	siginfo_t info;
	CHECK_OK(waitid(P_PID, (id_t)c, &info, WEXITED | WNOWAIT));
	CHECK_EQ(info.si_status, SIGINT);
	/* A zombie takes any signal and nothing comes of it. */
	CHECK_OK(kill(c, SIGKILL));
	CHECK_EQ(ended(c), 130);
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(getpid(), -1), EINVAL);
	CHECK_ERRNO(kill(0x3ffffff, 0), ESRCH);
	CHECK_ERRNO(kill(-2147483647 - 1, 0), ESRCH);
	CHECK_ERRNO(killpg(-1, 0), EINVAL);
	CHECK_EQ(in_child(own_group), 0);

	/* Another user's process. */
	if (geteuid() == 0) {
		pid_t root = sleeper(-1), pid = start();
		if (pid == 0) {
			CHECK_OK(setuid(54323));
			CHECK_ERRNO(kill(root, SIGTERM), EPERM);
			CHECK_ERRNO(kill(root, 0), EPERM);
			pid_t own = sleeper(-1);
			CHECK_OK(kill(own, SIGTERM));
			CHECK_EQ(ended(own), 143);
			finish();
		}
		CHECK_EQ(ended(pid), 0);
		CHECK_OK(kill(root, SIGKILL));
		CHECK_EQ(ended(root), 137);
	}
	/* What a stopped one has not seen yet does not matter when it is killed. */
	for (int i = 0; i < 20; i++) {
		pid_t pid = sleeper(-1);
		int status;
		CHECK_OK(kill(pid, SIGSTOP));
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK_OK(kill(pid, SIGUSR1));
		CHECK_OK(kill(pid, SIGKILL));
		CHECK_EQ(ended(pid), 137);
	}
	return check_done();
}
