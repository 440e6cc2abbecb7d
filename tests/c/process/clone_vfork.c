/* CLONE_VFORK: the parent waits for the child's exec or end; only the calling thread does. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include "clone.h"

static volatile int order, *common;
static char *self;
static atomic_int ticks, stop;

static int slow(void *argument)
{
	(void)argument;
	usleep(20000);
	order = *common = 1;
	return 13;
}

static int executes(void *argument)
{
	(void)argument;
	usleep(10000);
	order = 2;
	char *args[] = { self, "done", NULL };
	execv(self, args);
	return 1;
}

static void *ticker(void *argument)
{
	while (!atomic_load(&stop)) {
		atomic_fetch_add(&ticks, 1);
		usleep(1000);
	}
	return argument;
}

static int waits_for_ticks(void *argument)
{
	(void)argument;
	/* Ends only because another thread of the parent runs meanwhile. */
	for (int from = atomic_load(&ticks); atomic_load(&ticks) < from + 3;)
		usleep(1000);
	return 14;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return 77;
	self = argv[0];
	common = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pid = clone_with(CLONE_VM | CLONE_VFORK | SIGCHLD, slow, NULL);
	CHECK_EQ(order, 1);
	CHECK_EQ(ended(pid), 13);
	pid = clone_with(CLONE_VM | CLONE_VFORK | SIGCHLD, executes, NULL);
	CHECK_EQ(order, 2);
	CHECK_EQ(ended(pid), 77);
	/* Without CLONE_VM as well, but then the memory is the child's. */
	order = *common = 0;
	pid = clone_with(CLONE_VFORK | SIGCHLD, slow, NULL);
	CHECK_EQ(*common, 1);
	CHECK_EQ(order, 0);
	CHECK_EQ(ended(pid), 13);

	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, ticker, NULL), 0);
	pid = clone_with(CLONE_VM | CLONE_VFORK | SIGCHLD, waits_for_ticks, NULL);
	CHECK_EQ(ended(pid), 14);
	atomic_store(&stop, 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	return check_done();
}
