/* wait and signals: EINTR, restart, a handler that waits itself. */
#include <sys/time.h>
#include "process.h"

static volatile int calls;
static struct gate go;

static void on_alarm(int signo)
{
	(void)signo;
	if (++calls == 5)
		gate_open(&go);
}

static void on_child(int signo)
{
	(void)signo;
	int saved = errno, status;
	while (waitpid(-1, &status, WNOHANG) > 0)
		calls++;
	errno = saved;
}

int main(void)
{
	int status;
	siginfo_t info;
	struct itimerval often = { { 0, 4000 }, { 0, 4000 } }, off = { { 0, 0 }, { 0, 0 } };
	go = gate();
	pid_t pid = start();
	if (pid == 0) {
		gate_wait(&go);
		_exit(9);
	}
	CHECK_OK(handle(SIGALRM, on_alarm, 0));
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	CHECK_ERRNO(waitpid(pid, &status, 0), EINTR);
	CHECK_ERRNO(waitid(P_PID, (id_t)pid, &info, WEXITED), EINTR);
	CHECK(calls >= 2);
	CHECK_OK(handle(SIGALRM, on_alarm, SA_RESTART));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(shell_status(status), 9);
	CHECK(calls >= 5);
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));

	/* The usual reaper: all ends are found, although signals merge. */
	calls = 0;
	CHECK_OK(handle(SIGCHLD, on_child, SA_RESTART));
	mask(SIG_BLOCK, SIGCHLD);
	for (int i = 0; i < 30; i++)
		if (start() == 0)
			_exit(0);
	sigset_t none;
	sigprocmask(SIG_BLOCK, NULL, &none);
	sigdelset(&none, SIGCHLD);
	while (calls < 30)
		CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_ERRNO(wait(&status), ECHILD);
	return check_done();
}
