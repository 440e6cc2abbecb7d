/* 10,000 threads created and joined, in batches; each has its argument, its result and its own locals. */
#include <pthread.h>
#include "check.h"

enum { BATCH = 50, BATCHES = 200 };

static __thread int local = 3;
static int shared[BATCH];

static void *thread(void *argument)
{
	int *slot = argument;
	int first = local;
	local = (int)(slot - shared);
	*slot += 1;
	return (void *)(long)(first == 3 ? local : -1);
}

int main(void)
{
	int wrong = 0;
	for (int b = 0; b < BATCHES; b++) {
		pthread_t threads[BATCH];
		for (int i = 0; i < BATCH; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, thread, &shared[i]), 0);
		for (int i = 0; i < BATCH; i++) {
			void *result = NULL;
			CHECK_EQ(pthread_join(threads[i], &result), 0);
			wrong += (long)result != i;
		}
	}
	for (int i = 0; i < BATCH; i++)
		CHECK_EQ(shared[i], BATCHES);
	CHECK_EQ(wrong, 0);
	CHECK_EQ(local, 3);
	return check_done();
}
