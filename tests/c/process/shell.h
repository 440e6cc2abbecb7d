/* A test that needs /bin/sh brings one: in a root directory of its own the program installs itself as that shell.
 *
 * The shell knows: `exit N`, `echo WORDS`, `copy` (input to output), `count` (lines of input), `kill N` (itself), `args` (its own
 * arguments), `NAME=` prints a variable. Commands are separated by `;`.
 */
#ifndef SHELL_H
#define SHELL_H

#include <sys/stat.h>
#include "process.h"

static inline void install_shell(const char *self)
{
	char buffer[4096];
	ssize_t n;
	CHECK_OK(mkdir("/bin", 0755));
	int in = open(self, O_RDONLY), out = open("/bin/sh", O_WRONLY | O_CREAT | O_EXCL, 0755);
	CHECK(in >= 0 && out >= 0);
	while ((n = read(in, buffer, sizeof buffer)) > 0)
		if (write(out, buffer, (size_t)n) != n)
			abort();
	CHECK_OK(close(in));
	CHECK_OK(close(out));
}

/* Whether the program runs as the shell. */
static inline int is_shell(char **argv)
{
	return argv[0] != NULL && (!strcmp(argv[0], "sh") || !strcmp(argv[0], "/bin/sh"));
}

static inline int shell(int argc, char **argv)
{
	int status = 0;
	char line[256], *rest = argc > 2 && !strcmp(argv[1], "-c") ? argv[2] : NULL, *command;
	if (argc > 3 && !strcmp(argv[1], "-c") && !strcmp(argv[2], "--"))
		rest = argv[3];
	if (rest == NULL) {
		/* A script. */
		for (int i = 0; i < argc; i++)
			printf("sh %d <%s>\n", i, argv[i]);
		return 0;
	}
	while ((command = strsep(&rest, ";")) != NULL) {
		command += strspn(command, " ");
		status = 0;
		if (!strncmp(command, "exit ", 5)) {
			return atoi(command + 5);
		} else if (!strncmp(command, "echo ", 5)) {
			puts(command + 5);
		} else if (!strncmp(command, "copy", 4)) {
			while (fgets(line, sizeof line, stdin))
				fputs(line, stdout);
		} else if (!strncmp(command, "count", 5)) {
			int lines = 0;
			while (fgets(line, sizeof line, stdin))
				lines++;
			printf("%d lines\n", lines);
		} else if (!strncmp(command, "kill ", 5)) {
			kill(getpid(), atoi(command + 5));
		} else if (!strncmp(command, "signals", 7)) {
			struct sigaction action;
			sigaction(SIGINT, NULL, &action);
			printf("%d %d", action.sa_handler == SIG_DFL, is_blocked(SIGCHLD));
			sigaction(SIGQUIT, NULL, &action);
			printf(" %d\n", action.sa_handler == SIG_DFL);
		} else if (command[strlen(command) - 1] == '=') {
			command[strlen(command) - 1] = 0;
			puts(getenv(command) ? getenv(command) : "unset");
		} else {
			status = 127;
		}
		fflush(stdout);
	}
	return status;
}

#endif
