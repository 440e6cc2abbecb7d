/* Barriers: all arrive before anyone goes on, one is the serial thread, errors. */
#include <pthread.h>
#include "check.h"

enum { THREADS = 7, ROUNDS = 200 };

static pthread_barrier_t barrier;
static volatile int arrived[THREADS];
static int serials[ROUNDS];

static void *thread(void *argument)
{
	int self = (int)(long)argument, bad = 0;
	for (int round = 0; round < ROUNDS; round++) {
		arrived[self] = round;
		int result = pthread_barrier_wait(&barrier);
		if (result == PTHREAD_BARRIER_SERIAL_THREAD)
			serials[round]++;
		else if (result != 0)
			bad++;
		for (int i = 0; i < THREADS; i++)
			bad += arrived[i] < round;
	}
	return (void *)(long)bad;
}

int main(void)
{
	pthread_t threads[THREADS];
	CHECK_EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
	CHECK_EQ(pthread_barrier_init(&barrier, NULL, 1), 0);
	CHECK_EQ(pthread_barrier_wait(&barrier), PTHREAD_BARRIER_SERIAL_THREAD);
	CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
	CHECK_EQ(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (long i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, thread, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		void *bad;
		CHECK_EQ(pthread_join(threads[i], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
	for (int i = 0; i < ROUNDS; i++)
		CHECK_EQ(serials[i], 1);
	CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
	return check_done();
}
