/* A full-screen program in small: raw keys, window size, interrupts; every event is a line. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios original;
static volatile sig_atomic_t interrupted, resized, continued;

static void on_signal(int signo)
{
	if (signo == SIGINT)
		interrupted = 1;
	else if (signo == SIGWINCH)
		resized = 1;
	else
		continued = 1;
}

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(1);
}

static void size(void)
{
	struct winsize size;
	char line[64];
	if (ioctl(1, TIOCGWINSZ, &size) != 0)
		say("no size\n");
	snprintf(line, sizeof line, "size %d %d\n", size.ws_row, size.ws_col);
	say(line);
}

static void raw(void)
{
	struct termios mode = original;
	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	if (tcsetattr(0, TCSAFLUSH, &mode) != 0)
		say("no raw mode\n");
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	char key, line[64];
	if (!isatty(0) || !isatty(1) || tcgetattr(0, &original) != 0) {
		say("no terminal\n");
		return 1;
	}
	snprintf(line, sizeof line, "foreground %d, session %d\n", tcgetpgrp(0) == getpgrp(), tcgetsid(0) == getsid(0));
	say(line);
	/* The signals come while the program waits for a key and at no other time, so that none is missed. */
	sigset_t blocked, open;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGWINCH);
	sigaddset(&blocked, SIGCONT);
	sigprocmask(SIG_BLOCK, &blocked, &open);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGWINCH, &action, NULL);
	sigaction(SIGCONT, &action, NULL);
	size();
	raw();
	say("ready\n");
	for (;;) {
		struct pollfd wait = { 0, POLLIN, 0 };
		int ready = ppoll(&wait, 1, NULL, &open);
		if (interrupted) {
			interrupted = 0;
			say("interrupt\n");
		}
		if (resized) {
			resized = 0;
			size();
		}
		if (continued) {
			continued = 0;
			raw();
			say("continued\n");
		}
		if (ready != 1)
			continue;
		if (read(0, &key, 1) != 1 || key == 'q')
			break;
		snprintf(line, sizeof line, "key %d\n", key);
		say(line);
	}
	tcsetattr(0, TCSAFLUSH, &original);
	say("restored\n");
	return 5;
}
