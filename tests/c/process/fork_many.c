/* Many processes one after the other, and a hundred at once; numbers of the dead are used again at last, never of the living.
 *
 * @args 300
 */
#include "process.h"

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 300;
	struct gate go = gate();
	fflush(stdout);
	for (int i = 0; i < rounds; i++) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(i & 127);
		int status;
		if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != (i & 127)) {
			CHECK(!"round");
			break;
		}
	}
	pid_t pids[100];
	for (int i = 0; i < 100; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			gate_wait(&go);
			_exit(0);
		}
		for (int k = 0; k < i; k++)
			CHECK(pids[k] != pids[i]);
	}
	for (int i = 0; i < 100; i++)
		gate_open(&go);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(ended(pids[i]), 0);
	CHECK_ERRNO(wait(NULL), ECHILD);
	return check_done();
}
