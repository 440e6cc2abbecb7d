/* What SIGCHLD tells: code, pid, uid, status; SA_NOCLDSTOP, SA_NOCLDWAIT, and SIGCHLD ignored. */
#include <sys/resource.h>
#include "process.h"

static volatile siginfo_t last;
static volatile int calls;

static void on_child(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	memcpy((void *)&last, info, sizeof last);
	calls++;
}

static sigset_t without_child;

/* Waits until the handler has run `count` times in all. */
static void until(int count)
{
	while (calls < count)
		sigsuspend(&without_child);
	CHECK_EQ(calls, count);
	CHECK_EQ(last.si_signo, SIGCHLD);
	CHECK_EQ(last.si_uid, getuid());
}

int main(void)
{
	int status;
	struct gate go = gate();
	sigprocmask(SIG_BLOCK, NULL, &without_child);
	mask(SIG_BLOCK, SIGCHLD);
	CHECK_OK(handle_info(SIGCHLD, on_child, 0));

	pid_t pid = start();
	if (pid == 0)
		_exit(33);
	until(1);
	CHECK_EQ(last.si_code, CLD_EXITED);
	CHECK_EQ(last.si_pid, pid);
	CHECK_EQ(last.si_status, 33);
	CHECK_EQ(ended(pid), 33);

	pid = start();
	if (pid == 0)
		return pause();
	CHECK_OK(kill(pid, SIGSTOP));
	until(2);
	CHECK_EQ(last.si_code, CLD_STOPPED);
	CHECK_EQ(last.si_status, SIGSTOP);
	CHECK_OK(kill(pid, SIGCONT));
	until(3);
	CHECK_EQ(last.si_code, CLD_CONTINUED);
	CHECK_EQ(last.si_status, SIGCONT);
	CHECK_OK(kill(pid, SIGKILL));
	until(4);
	CHECK_EQ(last.si_code, CLD_KILLED);
	CHECK_EQ(last.si_pid, pid);
	CHECK_EQ(last.si_status, SIGKILL);
	CHECK_EQ(ended(pid), 137);

	/* No word of stops. */
	CHECK_OK(handle_info(SIGCHLD, on_child, SA_NOCLDSTOP));
	pid = start();
	if (pid == 0)
		return pause();
	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(!is_pending(SIGCHLD));
	CHECK_OK(kill(pid, SIGTERM));
	until(5);
	CHECK_EQ(last.si_status, SIGTERM);
	CHECK_EQ(ended(pid), 143);

	/* No zombies: wait waits for all and then has none; the signal still comes. */
	CHECK_OK(handle_info(SIGCHLD, on_child, SA_NOCLDWAIT));
	pid = start();
	if (pid == 0)
		_exit(3);
	until(6);
	CHECK_EQ(last.si_status, 3);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
	for (int i = 0; i < 3; i++)
		if (start() == 0) {
			gate_wait(&go);
			_exit(4);
		}
	CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
	for (int i = 0; i < 3; i++)
		gate_open(&go);
	CHECK_ERRNO(wait(&status), ECHILD);

	CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	pid = start();
	if (pid == 0)
		_exit(5);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
	CHECK(!is_pending(SIGCHLD));
	/* Set after the end: the zombie stays and can be waited for. */
	CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	pid = start();
	if (pid == 0)
		_exit(6);
	siginfo_t info;
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	CHECK_EQ(ended(pid), 6);
	return check_done();
}
