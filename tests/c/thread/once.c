/* pthread_once: one of many threads runs it, the others wait; a cancelled one is run again; a fork in it starts anew. */
#include <pthread.h>
#include <semaphore.h>
#include "process.h"

static pthread_once_t once = PTHREAD_ONCE_INIT, cancelled = PTHREAD_ONCE_INIT, forked = PTHREAD_ONCE_INIT;
static volatile int runs, done, tries;
static sem_t inside;
static pid_t child;

static void slow(void)
{
	runs++;
	usleep(5000);
	done = 1;
}

static void *calls(void *argument)
{
	CHECK_EQ(pthread_once(&once, slow), 0);
	CHECK_EQ(done, 1);
	return argument;
}

static void blocks_first(void)
{
	if (tries++ == 0) {
		sem_post(&inside);
		pause();
	}
}

static void *cancelled_in_it(void *argument)
{
	pthread_once(&cancelled, blocks_first);
	return argument;
}

static void forks(void)
{
	child = start();
}

int main(void)
{
	pthread_t threads[10];
	for (int i = 0; i < 10; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, calls, NULL), 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(runs, 1);

	CHECK_OK(sem_init(&inside, 0, 0));
	CHECK_EQ(pthread_create(&threads[0], NULL, cancelled_in_it, NULL), 0);
	sem_wait(&inside);
	CHECK_EQ(pthread_create(&threads[1], NULL, cancelled_in_it, NULL), 0);
	CHECK_EQ(pthread_cancel(threads[0]), 0);
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
	CHECK_EQ(pthread_join(threads[1], NULL), 0);
	CHECK_EQ(tries, 2);

	CHECK_EQ(pthread_once(&forked, forks), 0);
	if (child == 0)
		finish();
	CHECK_EQ(ended(child), 0);
	return check_done();
}
