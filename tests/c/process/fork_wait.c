/* fork and wait: every exit status, ends by signals, pids and parents. */
#include "process.h"

int main(void)
{
	pid_t self = getpid(), parent = getppid();
	CHECK(parent > 0 && parent != self);
	for (int i = 0; i < 256; i += 15) {
		pid_t pid = start();
		if (pid == 0) {
			CHECK_EQ(getppid(), self);
			CHECK(getpid() != self && getpid() != parent);
			CHECK_EQ(check_failures, 0);
			_exit(i);
		}
		CHECK(pid > 0);
		CHECK_EQ(ended(pid), i);
	}
	CHECK_EQ(getpid(), self);

	static const int fatal[] = { SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGQUIT, SIGABRT };
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
		pid_t pid = start();
		if (pid == 0) {
			signal(fatal[i], SIG_DFL);
			kill(getpid(), fatal[i]);
			pause();
			_exit(1);
		}
		CHECK_EQ(ended(pid), 128 + fatal[i]);
	}

	/* exit(3) and a return from a function below main see only the low 8 bits. */
	pid_t pid = start();
	if (pid == 0)
		exit(0x1234);
	CHECK_EQ(ended(pid), 0x34);
	pid = start();
	if (pid == 0)
		exit(-1);
	CHECK_EQ(ended(pid), 255);

	/* Grandchildren: a child waits for its own only. */
	pid = start();
	if (pid == 0) {
		int status;
		CHECK_ERRNO(waitpid(self, &status, 0), ECHILD);
		CHECK_ERRNO(wait(&status), ECHILD);
		pid_t inner = start();
		if (inner == 0)
			_exit(getppid() == self ? 1 : 42);
		CHECK_EQ(ended(inner), 42);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);

	/* Any order: all are found, each once. */
	pid_t pids[10];
	int seen = 0;
	for (int i = 0; i < 10; i++)
		if ((pids[i] = start()) == 0)
			_exit(100 + i);
	for (int i = 0; i < 10; i++) {
		int status;
		pid_t got = wait(&status);
		for (int k = 0; k < 10; k++)
			if (pids[k] == got) {
				CHECK_EQ(shell_status(status), 100 + k);
				seen |= 1 << k;
			}
	}
	CHECK_EQ(seen, 1023);
	CHECK_ERRNO(wait(NULL), ECHILD);
	return check_done();
}
