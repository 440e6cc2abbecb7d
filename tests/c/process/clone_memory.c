/* clone with a stack of its own: with CLONE_VM one memory, without it two; the function's result is the exit status. */
#include <stdatomic.h>
#include "clone.h"

static volatile int shared_word;
static int *mapped;

static int changes(void *argument)
{
	shared_word = *(int *)argument;
	mapped[0]++;
	int local[100];
	for (int i = 0; i < 100; i++)
		local[i] = i * shared_word;
	return local[9] + (getppid() == *((pid_t *)argument + 1) ? 0 : 100);
}

static int maps(void *argument)
{
	*(void **)argument = malloc(100000);
	memset(*(void **)argument, 'm', 100000);
	return 0;
}

static atomic_int counter;

static int counts(void *argument)
{
	for (int i = 0; i < 1000; i++)
		counter++;
	return argument != NULL;
}

int main(void)
{
	int given[2] = { 5, getpid() };
	mapped = calloc(1, sizeof *mapped);

	int pid = clone_with(SIGCHLD, changes, given);
	CHECK(pid > 0);
	CHECK_EQ(ended(pid), 45);
	CHECK_EQ(shared_word, 0);
	CHECK_EQ(mapped[0], 0);

	pid = clone_with(CLONE_VM | SIGCHLD, changes, given);
	CHECK(pid > 0);
	CHECK_EQ(ended(pid), 45);
	CHECK_EQ(shared_word, 5);
	CHECK_EQ(mapped[0], 1);

	/* What the child allocates in shared memory stays. */
	void *block = NULL;
	pid = clone_with(CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, maps, &block);
	CHECK_EQ(ended(pid), 0);
	CHECK(block != NULL && ((char *)block)[99999] == 'm');
	free(block);

	/* 20 at once in one memory. They have one thread's data in common as well, so they call nothing of the library. */
	int pids[20];
	for (int i = 0; i < 20; i++)
		pids[i] = clone_with(CLONE_VM | SIGCHLD, counts, NULL);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(ended(pids[i]), 0);
	CHECK_EQ(counter, 20000);
	return check_done();
}
