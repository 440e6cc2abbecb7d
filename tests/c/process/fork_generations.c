/* Each process makes the next one and ends only after it: 60 generations deep, with values kept in every one. */
#include "process.h"

static int generation(int n, double x)
{
	if (n == 0)
		return 0;
	double here = x * 1.25 + n;
	pid_t pid = fork();
	if (pid == 0)
		_exit(generation(n - 1, here));
	return here == x * 1.25 + n ? (ended(pid) + 1) % 251 : 255;
}

int main(void)
{
	fflush(stdout);
	CHECK_EQ(generation(60, 0.5), 60);
	/* The same in one activation: the child goes on in the loop. */
	int depth = 0;
	pid_t pid = -1;
	for (int i = 0; i < 60; i++) {
		pid = fork();
		if (pid != 0)
			break;
		depth++;
	}
	int below = pid > 0 ? ended(pid) : 0;
	if (depth > 0)
		_exit(below + 1);
	CHECK_EQ(below, 60);
	return check_done();
}
