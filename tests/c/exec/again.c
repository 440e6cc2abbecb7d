/* A program executes itself 100 times: same pid, same files, nothing of the former images left. */
#include "process.h"

static char big[1 << 20];

int main(int argc, char **argv)
{
	if (argc == 1) {
		closefrom(3);
		char pid[16];
		pid_t child = start();
		if (child == 0) {
			snprintf(pid, sizeof pid, "%d", getpid());
			execl(argv[0], argv[0], "100", pid, (char *)NULL);
			_exit(90);
		}
		CHECK_EQ(ended(child), 42);
		return check_done();
	}
	int left = atoi(argv[1]);
	if (getpid() != atoi(argv[2]))
		_exit(91);
	if (big[0] != 0 || big[sizeof big - 1] != 0)
		_exit(92);
	memset(big, 1, sizeof big);
	char *heap = malloc(100000);
	for (int i = 0; i < 100000; i += 1000)
		heap[i] = 1;
	if (dup(0) != 3)
		_exit(93);
	close(3);
	if (left == 0)
		_exit(42);
	char number[16];
	snprintf(number, sizeof number, "%d", left - 1);
	execl(argv[0], argv[0], number, argv[2], (char *)NULL);
	_exit(94);
}
