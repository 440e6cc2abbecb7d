/* Waiting for children of a process group, of one's own group, by P_PGID. */
#include "process.h"

static struct gate go;

static pid_t waiting_child(int status)
{
	pid_t pid = start();
	if (pid == 0) {
		gate_wait(&go);
		_exit(status);
	}
	return pid;
}

int main(void)
{
	int status;
	siginfo_t info;
	go = gate();
	pid_t a = waiting_child(1), b = waiting_child(2), c = waiting_child(3), d = waiting_child(4);
	CHECK_OK(setpgid(a, a));
	CHECK_OK(setpgid(b, a));
	CHECK_OK(setpgid(c, c));
	CHECK_ERRNO(waitpid(-d, &status, WNOHANG), ECHILD);
	CHECK_EQ(waitpid(-a, &status, WNOHANG), 0);
	for (int i = 0; i < 4; i++)
		gate_open(&go);
	CHECK_EQ(waitpid(0, &status, 0), d);
	CHECK_EQ(shell_status(status), 4);
	CHECK_ERRNO(waitpid(0, &status, 0), ECHILD);
	CHECK_OK(waitid(P_PGID, (id_t)c, &info, WEXITED));
	CHECK_EQ(info.si_pid, c);
	CHECK_EQ(info.si_status, 3);
	pid_t x = waitpid(-a, &status, 0), y = waitpid(-a, &status, 0);
	CHECK((x == a && y == b) || (x == b && y == a));
	CHECK_ERRNO(waitpid(-a, &status, 0), ECHILD);
	CHECK_ERRNO(waitid(P_PGID, 0, &info, WEXITED), ECHILD);
	return check_done();
}
