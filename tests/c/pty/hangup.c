/* The end of a terminal and of the session that it belongs to.
 *
 * @cflags -D_GNU_SOURCE -Wno-unused-result
 */
#include "terminal.h"

static int report[2];
static struct gate go, end;

static void on_signal(int signo)
{
	char name = signo == SIGHUP ? 'h' : signo == SIGCONT ? 'c' : '?';
	write(report[1], &name, 1);
}

static char reported(void)
{
	char name = 0;
	struct pollfd p = { report[0], POLLIN, 0 };
	if (poll(&p, 1, 5000) != 1 || read(report[0], &name, 1) != 1)
		return 0;
	return name;
}

/* One of a hang-up and a continuation, in either order: what comes later may interrupt the handler of the other. */
static int reported_both(void)
{
	char first = reported(), second = reported();
	return (first == 'h' && second == 'c') || (first == 'c' && second == 'h');
}

static int nothing_reported(void)
{
	struct pollfd p = { report[0], POLLIN, 0 };
	return poll(&p, 1, 50) == 0;
}

static void ready(int fd)
{
	char text[16];
	struct pollfd p = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK(read(fd, text, sizeof text) > 0);
}

/* Starts a child whose group takes the foreground, and runs the rest of it. */
static pid_t foreground(void (*rest)(void))
{
	pid_t child = start();
	if (child == 0) {
		setpgid(0, 0);
		handle(SIGHUP, on_signal, 0);
		mask(SIG_BLOCK, SIGTTOU);
		tcsetpgrp(0, getpid());
		write(1, "ready", 5);
		rest();
		finish();
	}
	return child;
}

static void forever(void)
{
	for (;;)
		pause();
}

static void until_the_end(void)
{
	gate_wait(&end);
}

static void without_terminal(void)
{
	gate_wait(&end);
	CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

static void hung_up(void)
{
	char byte;
	handle(SIGHUP, on_signal, 0);
	handle(SIGCONT, on_signal, 0);
	write(1, "ready", 5);
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	CHECK_EQ(read(0, &byte, 1), 0);
	CHECK_ERRNO(write(1, "x", 1), EIO);
	CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
	CHECK_ERRNO(tcgetsid(0) < 0 ? -1 : 0, errno);
}

static void ended_by_it(void)
{
	foreground(forever);
	forever();
}

static void ends(void)
{
	foreground(until_the_end);
	gate_wait(&go);
	_exit(7);
}

static void gives_up(void)
{
	pid_t child = foreground(without_terminal);
	gate_wait(&go);
	ioctl(0, TIOCNOTTY);
	gate_open(&end);
	CHECK_EQ(ended(child), 0);
}

static void has_none(void)
{
	CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

static void lets_go(void)
{
	CHECK_OK(ioctl(0, TIOCNOTTY));
	has_none();
	CHECK_ERRNO(tcgetpgrp(0), ENOTTY);
	CHECK_EQ(in_child(has_none), 0);
}

static void member_lets_go(void)
{
	CHECK_EQ(in_child(lets_go), 0);
	CHECK_OK(open("/dev/tty", O_RDWR));
}

int main(void)
{
	int master;
	go = gate();
	end = gate();
	CHECK_OK(pipe(report));

	/* The other end is closed: the session's leader is told, and the terminal is dead. */
	pid_t pid = at_terminal(&master, hung_up);
	ready(master);
	CHECK_OK(close(master));
	CHECK(reported_both());
	CHECK_EQ(ended(pid), 0);

	/* Without a handler that ends the leader, and then the foreground. */
	pid = at_terminal(&master, ended_by_it);
	ready(master);
	CHECK_OK(close(master));
	CHECK_EQ(ended(pid), 128 + SIGHUP);
	CHECK_EQ(reported(), 'h');

	/* The leader ends: the foreground is told, the terminal is free. */
	pid = at_terminal(&master, ends);
	ready(master);
	CHECK(nothing_reported());
	gate_open(&go);
	CHECK_EQ(ended(pid), 7);
	CHECK_EQ(reported(), 'h');
	CHECK_EQ(tcgetpgrp(master), 0);
	CHECK_ERRNO(tcgetsid(master), ENOTTY);
	gate_open(&end);
	/* Another session can have it now. */
	char *name = ptsname(master);
	pid = start();
	if (pid == 0) {
		CHECK_OK(setsid());
		int fd = open(name, O_RDWR);
		CHECK_OK(fd);
		CHECK_EQ(tcgetsid(fd), getpid());
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(close(master));

	/* The leader gives it up: the foreground is told as well. The last one's orphan may still be at its gate. */
	end = gate();
	pid = at_terminal(&master, gives_up);
	ready(master);
	gate_open(&go);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(reported(), 'h');
	CHECK_OK(close(master));

	/* A member of the session can let go for itself. */
	pid = at_terminal(&master, member_lets_go);
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(close(master));
	return check_done();
}
