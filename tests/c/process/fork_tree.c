/* Trees of processes: 5 levels in which each process makes three children; 5 forks in a row in all of them.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 */
#include "process.h"

enum { LEVELS = 5, WIDTH = 3 };

/* Returns the number of processes of the tree below and with the caller, counted through exit statuses and a pipe. */
static int grow(int level, int out)
{
	char mark = (char)('0' + level);
	int bad = write(out, &mark, 1) != 1;
	if (level == LEVELS)
		return bad;
	pid_t pids[WIDTH];
	for (int i = 0; i < WIDTH; i++) {
		pids[i] = start();
		if (pids[i] == 0)
			_exit(grow(level + 1, out));
	}
	for (int i = 0; i < WIDTH; i++)
		bad |= ended(pids[i]);
	return bad;
}

int main(void)
{
	int ends[2], counts[10] = { 0 };
	char mark;
	CHECK_OK(pipe(ends));
	CHECK_EQ(grow(0, ends[1]), 0);
	close(ends[1]);
	while (read(ends[0], &mark, 1) == 1)
		counts[mark - '0']++;
	close(ends[0]);
	for (int level = 0, expected = 1; level <= LEVELS; level++, expected *= WIDTH) {
		printf("level %d: %d\n", level, counts[level]);
		CHECK_EQ(counts[level], expected);
	}

	CHECK_OK(pipe(ends));
	fflush(stdout);
	pid_t top = fork();
	if (top == 0) {
		for (int i = 0; i < 5; i++)
			if (fork() < 0)
				_exit(1);
		int bad = write(ends[1], "x", 1) != 1, status;
		while (wait(&status) > 0)
			bad |= status != 0;
		_exit(bad);
	}
	CHECK_EQ(ended(top), 0);
	close(ends[1]);
	int leaves = 0;
	while (read(ends[0], &mark, 1) == 1)
		leaves++;
	CHECK_EQ(leaves, 32);
	return check_done();
}
