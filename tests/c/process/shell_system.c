/* system(3): status, no shell, what happens to signals meanwhile. The program is its own /bin/sh.
 *
 * @in chroot
 */
#include "shell.h"

static volatile int ints, chlds;

static void on_signal(int signo)
{
	if (signo == SIGINT)
		ints++;
	else
		chlds++;
}

static int run(const char *command)
{
	fflush(stdout);
	int status = system(command);
	return status < 0 ? -1 : shell_status(status);
}

int main(int argc, char **argv)
{
	if (is_shell(argv))
		return shell(argc, argv);
	CHECK_EQ(system(NULL), 0);
	CHECK_EQ(run("exit 0"), 127);
	install_shell(argv[0]);
	CHECK(system(NULL) != 0);
	CHECK_EQ(run("exit 0"), 0);
	CHECK_EQ(run("exit 43"), 43);
	CHECK_EQ(run("echo hello from system"), 0);
	CHECK_EQ(run("unknown"), 127);
	CHECK_EQ(run("kill 9"), 137);
	CHECK_EQ(run("kill 15"), 143);
	CHECK_OK(setenv("GREETING", "good day", 1));
	CHECK_EQ(run("GREETING="), 0);

	/* In the child SIGINT and SIGQUIT are as the caller had them and SIGCHLD is not blocked; meanwhile the caller ignores and blocks:
	 * its SIGCHLD comes at the end. */
	CHECK_OK(handle(SIGINT, on_signal, 0));
	CHECK_OK(handle(SIGCHLD, on_signal, 0));
	CHECK_EQ(run("signals"), 0);
	CHECK_EQ(chlds, 1);
	CHECK_EQ(ints, 0);
	CHECK_OK(raise(SIGINT));
	CHECK_EQ(ints, 1);
	CHECK(!is_blocked(SIGCHLD));

	/* Another child's end is not taken away. */
	pid_t pid = start();
	if (pid == 0)
		_exit(9);
	CHECK_EQ(run("exit 3"), 3);
	CHECK_EQ(ended(pid), 9);
	/* 5 at once from children. */
	pid_t pids[5];
	for (int i = 0; i < 5; i++)
		if ((pids[i] = start()) == 0) {
			char command[20];
			snprintf(command, sizeof command, "exit %d", i + 20);
			_exit(run(command));
		}
	for (int i = 0; i < 5; i++)
		CHECK_EQ(ended(pids[i]), i + 20);
	return check_done();
}
