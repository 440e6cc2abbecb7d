/* A session at a terminal of its own: the controlling terminal, keys that send signals, the window's size.
 *
 * @cflags -D_GNU_SOURCE -Wno-unused-result
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <utmp.h>
#include "terminal.h"

static void type(int master, const char *text)
{
	CHECK_EQ(write(master, text, strlen(text)), (ssize_t)strlen(text));
}

static void say(const char *text)
{
	CHECK_EQ(write(1, text, strlen(text)), (ssize_t)strlen(text));
}

static void on_signal(int signo)
{
	if (signo == SIGINT)
		say("<int>");
	if (signo == SIGQUIT)
		say("<quit>");
	if (signo == SIGWINCH)
		say("<winch>");
}

static _Noreturn void waits(void)
{
	say("ready\n");
	for (;;)
		pause();
}

static void belongs(void)
{
	struct stat a, b;
	CHECK_EQ(getsid(0), getpid());
	CHECK_EQ(tcgetsid(0), getpid());
	CHECK_EQ(tcgetpgrp(0), getpid());
	CHECK_EQ(tcgetpgrp(2), getpgrp());
	int tty = open("/dev/tty", O_RDWR);
	CHECK_OK(tty);
	CHECK(isatty(tty));
	CHECK_EQ(tcgetsid(tty), getpid());
	CHECK_OK(fstat(tty, &a));
	CHECK_OK(stat("/dev/tty", &b));
	CHECK(a.st_rdev == b.st_rdev && a.st_ino == b.st_ino);
	CHECK_EQ(major(a.st_rdev), 5);
	CHECK_EQ(minor(a.st_rdev), 0);
	CHECK_EQ(write(tty, "through tty\n", 12), 12);
	CHECK(ttyname(0) != NULL && strncmp(ttyname(0), "/dev/pts/", 9) == 0);
	CHECK_EQ(tcsetpgrp(0, getpid()), 0);
	CHECK_ERRNO(tcsetpgrp(0, 1 << 21), ESRCH);
	CHECK_ERRNO(tcsetpgrp(0, -1), EINVAL);
	CHECK_ERRNO(tcsetpgrp(0, getppid()), EPERM);
	/* Taking it once more changes nothing. */
	CHECK_OK(ioctl(0, TIOCSCTTY, 0));
	/* A second terminal does not become the session's. */
	int master, slave;
	CHECK_OK(openpty(&master, &slave, NULL, NULL, NULL));
	CHECK_ERRNO(tcgetpgrp(slave), ENOTTY);
	CHECK_ERRNO(ioctl(slave, TIOCSCTTY, 0), EPERM);
	CHECK_ERRNO(setsid(), EPERM);
	pid_t pid = start();
	if (pid == 0) {
		CHECK_ERRNO(ioctl(0, TIOCSCTTY, 1) < 0 ? -1 : 0, EPERM);
		finish();
	}
	(void)pid;
	ended(pid);
	pid = start();
	if (pid == 0) {
		CHECK_OK(setsid());
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		CHECK_ERRNO(tcgetpgrp(0), ENOTTY);
		/* It is another session's. */
		if (getuid() != 0)
			CHECK_ERRNO(ioctl(0, TIOCSCTTY, 0), EPERM);
		/* One that nobody has can be taken, by name as well. */
		char *name = ptsname(master);
		int mine = open(name, O_RDWR);
		CHECK_OK(mine);
		CHECK_EQ(tcgetsid(mine), getpid());
		CHECK_EQ(tcgetpgrp(mine), getpgrp());
		CHECK_EQ(tcgetpgrp(master), getpgrp());
		CHECK_EQ(tcgetsid(master), getpid());
		CHECK_OK(open("/dev/tty", O_RDWR));
		CHECK_EQ(handle(SIGHUP, SIG_IGN, 0), 0);
		CHECK_OK(ioctl(mine, TIOCNOTTY));
		CHECK_ERRNO(ioctl(mine, TIOCNOTTY), ENOTTY);
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		CHECK_ERRNO(tcgetsid(mine), ENOTTY);
		int noctty = open(name, O_RDWR | O_NOCTTY);
		CHECK_ERRNO(tcgetsid(noctty), ENOTTY);
		CHECK_OK(login_tty(dup(noctty)) < 0 ? ioctl(noctty, TIOCSCTTY, 0) : 0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
}

static void keys(void)
{
	CHECK_EQ(handle(SIGINT, on_signal, 0), 0);
	CHECK_EQ(handle(SIGQUIT, on_signal, 0), 0);
	CHECK_EQ(handle(SIGWINCH, on_signal, 0), 0);
	waits();
}

static void settings(void)
{
	struct termios t;
	CHECK_EQ(handle(SIGINT, on_signal, 0), 0);
	CHECK_EQ(handle(SIGQUIT, on_signal, 0), 0);
	CHECK_OK(tcgetattr(0, &t));
	t.c_cc[VINTR] = 'X';
	t.c_cc[VQUIT] = _POSIX_VDISABLE;
	CHECK_OK(tcsetattr(0, TCSANOW, &t));
	say("ready\n");
	char line[16] = "";
	ssize_t n;
	while ((n = read(0, line, sizeof line - 1)) < 0 && errno == EINTR)
		;
	CHECK_EQ(n, 3);
	CHECK_STR(line, "\003\034\n");
	/* Without ICANON, keys still send signals; without ISIG they do not. */
	t.c_lflag &= ~(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	CHECK_OK(tcsetattr(0, TCSANOW, &t));
	say("still\n");
	while ((n = read(0, line, 1)) < 0 && errno == EINTR)
		;
	CHECK_EQ(line[0], '-');
	t.c_lflag &= ~ISIG;
	CHECK_OK(tcsetattr(0, TCSANOW, &t));
	say("no signals\n");
	CHECK_EQ(read(0, line, 1), 1);
	CHECK_EQ(line[0], 'X');
	say("end\n");
}

static void stops(void)
{
	say("ready\n");
	for (;;)
		pause();
}

int main(void)
{
	int master, status;
	pid_t pid = at_terminal(&master, belongs);
	expect(master, "through tty");
	char rest[4096];
	ssize_t n;
	while ((n = read(master, rest, sizeof rest)) > 0)
		if (memmem(rest, n, ".c:", 3))
			printf("%.*s\n", (int)n, rest);
	CHECK_EQ(errno, EIO);
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(close(master));

	pid = at_terminal(&master, waits);
	expect(master, "ready");
	type(master, "\003");
	CHECK_EQ(ended(pid), 128 + SIGINT);
	CHECK_OK(close(master));

	pid = at_terminal(&master, waits);
	expect(master, "ready");
	CHECK_EQ(tcgetpgrp(master), pid);
	type(master, "abc\034");
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
	CHECK_OK(close(master));

	pid = at_terminal(&master, keys);
	expect(master, "ready");
	type(master, "x\003y");
	expect(master, "<int>");
	type(master, "\034");
	expect(master, "<quit>");
	struct winsize size = { 25, 90, 0, 0 };
	CHECK_OK(ioctl(master, TIOCSWINSZ, &size));
	expect(master, "<winch>");
	/* The same size once more is no change. */
	CHECK_OK(ioctl(master, TIOCSWINSZ, &size));
	type(master, "\026\003");
	expect(master, "^C");
	type(master, "\003");
	expect(master, "<int>");
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ended(pid), 128 + SIGKILL);
	CHECK_OK(close(master));

	pid = at_terminal(&master, settings);
	expect(master, "ready");
	type(master, "X");
	expect(master, "<int>");
	type(master, "\003\034\n");
	expect(master, "still");
	type(master, "X");
	expect(master, "<int>");
	type(master, "-");
	expect(master, "no signals");
	type(master, "X");
	expect(master, "end");
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(close(master));

	/* Control-Z, in a group with somebody who could continue it. */
	pid = at_terminal(&master, stops);
	expect(master, "ready");
	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_OK(kill(pid, SIGCONT));
	type(master, "\003");
	CHECK_EQ(ended(pid), 128 + SIGINT);
	CHECK_OK(close(master));
	return check_done();
}
