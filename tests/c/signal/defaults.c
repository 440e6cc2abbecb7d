/* The default action of every signal, as the parent sees it. */
#include "process.h"

int main(void)
{
	for (int signo = 1; signo <= 64; signo++) {
		if (signo == 32 || signo == 33)
			continue;
		int status = -1;
		pid_t pid = start();
		if (pid == 0) {
			/* A group of its own, as job control stops no orphaned one. */
			setpgid(0, 0);
			signal(signo, SIG_DFL);
			kill(getpid(), signo);
			_exit(0);
		}
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		if (WIFEXITED(status))
			printf("%d nothing\n", signo);
		else if (WIFSTOPPED(status))
			printf("%d stops %d\n", signo, WSTOPSIG(status));
		else
			printf("%d ends %d\n", signo, WTERMSIG(status));
		if (WIFSTOPPED(status)) {
			CHECK_OK(kill(pid, SIGCONT));
			CHECK_EQ(ended(pid), 0);
		}
	}
	return check_done();
}
