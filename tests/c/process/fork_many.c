/* Many processes one after the other, and a thousand at once; numbers of the dead are used again at last, never of the living.
 *
 * @args 1000 1000
 */
#include "process.h"

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 300, live = argc > 2 ? atoi(argv[2]) : 100;
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
	pid_t *pids = calloc((size_t)live, sizeof *pids);
	for (int i = 0; i < live; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			gate_wait(&go);
			_exit(i & 127);
		}
		CHECK(pids[i] > 0);
		if (pids[i] <= 0)
			break;
		for (int k = 0; k < i; k++)
			CHECK(pids[k] != pids[i]);
	}
	for (int i = 0; i < live; i++)
		gate_open(&go);
	for (int i = 0; i < live; i++)
		CHECK_EQ(ended(pids[i]), i & 127);
	CHECK_ERRNO(wait(NULL), ECHILD);
	return check_done();
}
