/* Children for C tests: started with no output pending, ended with their failed checks counted.
 *
 *     pid_t pid = start();
 *     if (pid == 0) {
 *             CHECK(...);
 *             finish();
 *     }
 *     CHECK_EQ(ended(pid), 0);
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

/* Forks with empty output buffers; a failure ends the test. */
static inline pid_t start(void)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0) {
		printf("fork fails with %s\n", strerrorname_np(errno));
		exit(1);
	}
	if (pid == 0)
		check_failures = 0;
	return pid;
}

/* Ends a child: 0, or 99 if one of its checks failed. */
static inline _Noreturn void finish(void)
{
	fflush(stdout);
	_exit(check_failures ? 99 : 0);
}

/* The status as a shell shows it: the exit status, or 128+n for signal n. */
static inline int shell_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -2;
}

/* Waits for a child and returns its status as a shell shows it. */
static inline int ended(pid_t pid)
{
	int status;
	pid_t got;
	while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	return got == pid ? shell_status(status) : -1;
}

/* Runs a function in a child and returns its status as a shell shows it. */
static inline int in_child(void (*body)(void))
{
	pid_t pid = start();
	if (pid == 0) {
		body();
		finish();
	}
	return ended(pid);
}

static inline void sleep_ms(int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Two ends of a pipe as a gate between processes or threads: one side opens it, the other waits for that. */
struct gate {
	int end[2];
};

static inline struct gate gate(void)
{
	struct gate gate;
	if (pipe(gate.end) < 0)
		abort();
	return gate;
}

static inline void gate_open(struct gate *gate)
{
	if (write(gate->end[1], "", 1) != 1)
		abort();
}

static inline void gate_wait(struct gate *gate)
{
	char byte;
	ssize_t n;
	while ((n = read(gate->end[0], &byte, 1)) < 0 && errno == EINTR)
		;
	if (n != 1)
		_exit(98);
}

static inline void gate_close(struct gate *gate)
{
	close(gate->end[0]);
	close(gate->end[1]);
}

/* Installs a handler with flags; returns what sigaction does. */
static inline int handle(int signo, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	return sigaction(signo, &action, NULL);
}

static inline int handle_info(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };
	return sigaction(signo, &action, NULL);
}

/* Blocks or unblocks one signal for the calling thread. */
static inline void mask(int how, int signo)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(how, &set, NULL);
}

/* Whether a signal is pending, and whether it is blocked. */
static inline int is_pending(int signo)
{
	sigset_t set;
	sigpending(&set);
	return sigismember(&set, signo);
}

static inline int is_blocked(int signo)
{
	sigset_t set;
	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, signo);
}

#endif
