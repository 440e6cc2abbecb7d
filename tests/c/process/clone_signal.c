/* The exit signal of clone: another one, or none. Such children are waited for with __WCLONE or __WALL. */
#include "clone.h"

static volatile int usr1, chld;

static void on_signal(int signo)
{
	if (signo == SIGUSR1)
		usr1++;
	else
		chld++;
}

static int returns(void *argument)
{
	return *(int *)argument;
}

int main(void)
{
	int status, five = 5;
	CHECK_OK(handle(SIGUSR1, on_signal, SA_RESTART));
	CHECK_OK(handle(SIGCHLD, on_signal, SA_RESTART));
	int pid = clone_with(SIGUSR1, returns, &five);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
	CHECK_EQ(waitpid(pid, &status, __WCLONE), pid);
	CHECK_EQ(shell_status(status), 5);
	CHECK_EQ(usr1, 1);
	CHECK_EQ(chld, 0);

	pid = clone_with(0, returns, &five);
	CHECK_ERRNO(waitpid(-1, &status, 0), ECHILD);
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK_EQ(shell_status(status), 5);
	CHECK_EQ(usr1, 1);
	CHECK_EQ(chld, 0);

	pid = clone_with(SIGCHLD, returns, &five);
	CHECK_ERRNO(waitpid(pid, &status, __WCLONE), ECHILD);
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK_EQ(chld, 1);
	return check_done();
}
