/* 500 threads alive at once; when no more can be made, pthread_create says so and all go on. */
#include <pthread.h>
#include <stdatomic.h>
#include "process.h"

enum { THREADS = 500 };

static pthread_barrier_t barrier;
static atomic_int inside;

static void *thread(void *argument)
{
	inside++;
	pthread_barrier_wait(&barrier);
	return argument;
}

int main(void)
{
	static pthread_t threads[THREADS];
	pthread_attr_t attributes;
	void *result;
	CHECK_EQ(pthread_attr_init(&attributes), 0);
	CHECK_EQ(pthread_attr_setstacksize(&attributes, 65536), 0);
	CHECK_EQ(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
	for (long i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], &attributes, thread, (void *)i), 0);
	pthread_barrier_wait(&barrier);
	CHECK_EQ(inside, THREADS);
	for (long i = 0; i < THREADS; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, i);
	}
	return check_done();
}
