/* A shell in small, for job control: `run` starts a program that reads lines in the foreground, `run &` in the background; `fg`, `bg`,
 * `jobs` and `exit` as in a shell.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static pid_t job;
static const char *state = "none";

static void note(int status)
{
	if (WIFSTOPPED(status)) {
		state = "stopped";
		printf("stopped by %s\n", sigabbrev_np(WSTOPSIG(status)));
	} else if (WIFSIGNALED(status)) {
		state = "none";
		printf("ended by %s\n", sigabbrev_np(WTERMSIG(status)));
	} else if (WIFCONTINUED(status)) {
		state = "running";
		printf("goes on\n");
	} else {
		state = "none";
		printf("exit %d\n", WEXITSTATUS(status));
	}
}

static void wait_in_foreground(void)
{
	int status;
	tcsetpgrp(0, job);
	if (!strcmp(state, "stopped"))
		kill(-job, SIGCONT);
	state = "running";
	if (waitpid(job, &status, WUNTRACED) == job) {
		tcsetpgrp(0, getpgrp());
		note(status);
	}
}

/* The job: echoes lines, or works without a line when it is in the background. */
static void reader(void)
{
	char line[100];
	printf("reader: here\n");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		printf("reader: <%s>\n", line);
		fflush(stdout);
		if (!strcmp(line, "end"))
			_exit(7);
	}
	printf("reader: end of input\n");
	fflush(stdout);
	_exit(8);
}

static void run(int foreground)
{
	fflush(stdout);
	job = fork();
	if (job == 0) {
		static const int signals[] = { SIGINT, SIGTSTP, SIGTTIN, SIGTTOU };
		setpgid(0, 0);
		if (foreground)
			tcsetpgrp(0, getpid());
		for (int i = 0; i < 4; i++)
			signal(signals[i], SIG_DFL);
		reader();
	}
	setpgid(job, job);
	state = "running";
	if (foreground)
		wait_in_foreground();
}

int main(void)
{
	char line[100];
	int status;
	signal(SIGTTOU, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	if (tcgetpgrp(0) != getpgrp())
		printf("not in the foreground\n");
	for (;;) {
		printf("$ ");
		fflush(stdout);
		if (!fgets(line, sizeof line, stdin))
			break;
		line[strcspn(line, "\n")] = 0;
		while (job > 0 && waitpid(job, &status, WNOHANG | WUNTRACED | WCONTINUED) == job)
			note(status);
		if (!strcmp(line, "run")) {
			run(1);
		} else if (!strcmp(line, "run &")) {
			run(0);
			/* It wants to read, and is stopped for that. */
			if (waitpid(job, &status, WUNTRACED) == job)
				note(status);
		} else if (!strcmp(line, "fg")) {
			wait_in_foreground();
		} else if (!strcmp(line, "bg")) {
			kill(-job, SIGCONT);
			if (waitpid(job, &status, WUNTRACED) == job)
				note(status);
		} else if (!strcmp(line, "jobs")) {
			printf("job: %s\n", state);
		} else if (!strcmp(line, "exit")) {
			return 3;
		} else if (line[0]) {
			printf("what is '%s'?\n", line);
		}
	}
	printf("bye\n");
	return 0;
}
