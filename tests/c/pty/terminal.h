/* What tests with a session at a terminal of its own share. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "../process.h"

/* Runs a function as the leader of a session at a new terminal, for at most twenty seconds; gives the other end. */
static inline pid_t at_terminal(int *master, void (*body)(void))
{
	fflush(stdout);
	struct winsize size = { 24, 80, 0, 0 };
	pid_t pid = forkpty(master, NULL, NULL, &size);
	CHECK_OK(pid);
	if (pid == 0) {
		check_failures = 0;
		alarm(20);
		body();
		finish();
	}
	return pid;
}

/* Reads from the terminal's other end until a text has come; shows the failed checks that come with it. */
static inline void expect(int master, const char *text)
{
	char seen[4096] = "";
	size_t n = 0;
	while (!strstr(seen, text)) {
		struct pollfd p = { master, POLLIN, 0 };
		ssize_t more = poll(&p, 1, 5000) > 0 ? read(master, seen + n, sizeof seen - 1 - n) : -1;
		if (more <= 0) {
			printf("expected \"%s\", got \"%s\"\n", text, seen);
			check_failures++;
			return;
		}
		n += more;
		seen[n] = 0;
	}
	if (strstr(seen, ".c:"))
		printf("%s\n", seen);
}

#endif
