/* WNOHANG, WNOWAIT, and options and ids that are no good. */
#include "process.h"

int main(void)
{
	int status = 77;
	siginfo_t info;
	struct gate go = gate();
	pid_t pid = start();
	if (pid == 0) {
		gate_wait(&go);
		_exit(5);
	}
	/* Nothing yet: 0, and nothing is written but a cleared siginfo. */
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
	CHECK_EQ(status, 77);
	memset(&info, 0x55, sizeof info);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	CHECK_EQ(info.si_signo, 0);
	gate_open(&go);
	/* As often as one likes without taking it. */
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(waitid(i % 2 ? P_ALL : P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
		CHECK_EQ(info.si_signo, SIGCHLD);
		CHECK_EQ(info.si_code, CLD_EXITED);
		CHECK_EQ(info.si_pid, pid);
		CHECK_EQ(info.si_uid, getuid());
		CHECK_EQ(info.si_status, 5);
	}
	CHECK_EQ(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	CHECK_OK(kill(pid, 0));
	CHECK_EQ(waitpid(pid, &status, WNOHANG), pid);
	CHECK_EQ(shell_status(status), 5);
	CHECK_ERRNO(kill(pid, 0), ESRCH);

	CHECK_ERRNO(waitpid(pid, &status, WNOHANG), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), ECHILD);
	CHECK_ERRNO(waitpid(-1, &status, 0x100), EINVAL);
	CHECK_ERRNO(waitpid(-1, &status, WNOWAIT), EINVAL);
	CHECK_ERRNO(waitpid(-1, &status, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WNOHANG), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED | 0x100), EINVAL);
	CHECK_ERRNO(waitid(9, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PID, (id_t)-5, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PGID, (id_t)-5, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitpid(getpid(), &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(getppid(), &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(-0x3ffffff, &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(-2147483647 - 1, &status, 0), ESRCH);
	return check_done();
}
