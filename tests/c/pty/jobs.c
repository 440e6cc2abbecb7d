/* Groups in the foreground and in the background of a session's terminal.
 *
 * @cflags -D_GNU_SOURCE -Wno-unused-result
 */
#include "terminal.h"

static volatile sig_atomic_t caught;

static void on_signal(int signo)
{
	caught = signo;
}

/* Starts a group of its own. */
static pid_t job(void (*body)(void))
{
	pid_t pid = start();
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_DFL);
		body();
		finish();
	}
	setpgid(pid, pid);
	return pid;
}

static int stopped_by(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, WUNTRACED) != pid)
		return -1;
	return WIFSTOPPED(status) ? WSTOPSIG(status) : -2;
}

static void reads(void)
{
	char line[32] = "";
	CHECK_EQ(read(0, line, sizeof line - 1), 6);
	CHECK_STR(line, "input\n");
}

static void reads_ignoring(void)
{
	char byte;
	CHECK_EQ(handle(SIGTTIN, SIG_IGN, 0), 0);
	CHECK_ERRNO(read(0, &byte, 1), EIO);
	CHECK_EQ(handle(SIGTTIN, SIG_DFL, 0), 0);
	mask(SIG_BLOCK, SIGTTIN);
	CHECK_ERRNO(read(0, &byte, 1), EIO);
	mask(SIG_UNBLOCK, SIGTTIN);
	CHECK_EQ(handle(SIGTTIN, on_signal, 0), 0);
	CHECK_ERRNO(read(0, &byte, 1), EINTR);
	CHECK_EQ(caught, SIGTTIN);
	int tty = open("/dev/tty", O_RDWR);
	CHECK_OK(tty);
	CHECK_ERRNO(read(tty, &byte, 1), EINTR);
}

static void writes(void)
{
	CHECK_EQ(write(1, "written\n", 8), 8);
}

static void changes(void)
{
	struct termios t;
	CHECK_OK(tcgetattr(0, &t));
	CHECK_EQ(handle(SIGTTOU, on_signal, 0), 0);
	CHECK_ERRNO(tcsetattr(0, TCSANOW, &t), EINTR);
	CHECK_EQ(caught, SIGTTOU);
	CHECK_ERRNO(tcsetpgrp(0, getpgrp()), EINTR);
	CHECK_EQ(handle(SIGTTOU, SIG_IGN, 0), 0);
	CHECK_OK(tcsetattr(0, TCSANOW, &t));
	CHECK_OK(tcsetpgrp(0, getpgrp()));
	CHECK_EQ(tcgetpgrp(0), getpgrp());
}

static void waits(void)
{
	for (;;)
		pause();
}

static void shell(void)
{
	struct termios t;
	pid_t me = getpid();
	signal(SIGTTOU, SIG_IGN);
	/* A reader in the background stops; in the foreground it goes on. */
	pid_t pid = job(reads);
	CHECK_EQ(stopped_by(pid), SIGTTIN);
	CHECK_OK(tcsetpgrp(0, pid));
	CHECK_OK(kill(-pid, SIGCONT));
	CHECK_EQ(write(1, "type\n", 5), 5);
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(tcsetpgrp(0, me));
	CHECK_EQ(ended(job(reads_ignoring)), 0);
	CHECK_EQ(ended(job(writes)), 0);
	CHECK_OK(tcgetattr(0, &t));
	t.c_lflag |= TOSTOP;
	CHECK_OK(tcsetattr(0, TCSANOW, &t));
	pid = job(writes);
	CHECK_EQ(stopped_by(pid), SIGTTOU);
	CHECK_OK(tcsetpgrp(0, pid));
	CHECK_OK(kill(-pid, SIGCONT));
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(tcsetpgrp(0, me));
	t.c_lflag &= ~TOSTOP;
	CHECK_OK(tcsetattr(0, TCSANOW, &t));
	CHECK_EQ(ended(job(changes)), 0);
	CHECK_OK(tcsetpgrp(0, me));
	/* Keys reach the foreground, and only that. */
	pid_t back = job(waits);
	pid = job(waits);
	CHECK_OK(tcsetpgrp(0, pid));
	CHECK_EQ(write(1, "stop\n", 5), 5);
	CHECK_EQ(stopped_by(pid), SIGTSTP);
	CHECK_OK(kill(-pid, SIGCONT));
	CHECK_EQ(write(1, "end\n", 4), 4);
	CHECK_EQ(ended(pid), 128 + SIGINT);
	CHECK_EQ(waitpid(back, NULL, WNOHANG), 0);
	CHECK_OK(kill(-back, SIGKILL));
	CHECK_EQ(ended(back), 128 + SIGKILL);
	CHECK_OK(tcsetpgrp(0, me));
	CHECK_EQ(write(1, "done\n", 5), 5);
}

int main(void)
{
	int master;
	pid_t pid = at_terminal(&master, shell);
	expect(master, "type");
	CHECK_EQ(write(master, "input\n", 6), 6);
	expect(master, "stop");
	CHECK_EQ(write(master, "\032", 1), 1);
	expect(master, "end");
	CHECK_EQ(write(master, "\003", 1), 1);
	expect(master, "done");
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
