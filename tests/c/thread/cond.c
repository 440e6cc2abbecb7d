/* Condition variables: signal, broadcast, time limits on both clocks, a queue between producers and consumers. */
#include <pthread.h>
#include <time.h>
#include "check.h"

enum { CAPACITY = 4, ITEMS = 2000, CONSUMERS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER, all = PTHREAD_COND_INITIALIZER;
static int queue[CAPACITY], length, taken, waiting, gone, ended;
static long long sum;

static void *produces(void *argument)
{
	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&lock);
		while (length == CAPACITY)
			pthread_cond_wait(&not_full, &lock);
		queue[length++] = i;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&lock);
	}
	return argument;
}

static void *consumes(void *argument)
{
	pthread_mutex_lock(&lock);
	for (;;) {
		while (length == 0 && !ended)
			pthread_cond_wait(&not_empty, &lock);
		if (length == 0)
			break;
		sum += queue[--length];
		taken++;
		pthread_cond_signal(&not_full);
	}
	pthread_mutex_unlock(&lock);
	return argument;
}

static void *waits(void *argument)
{
	pthread_mutex_lock(&lock);
	waiting++;
	pthread_cond_signal(&not_empty);
	while (!gone)
		pthread_cond_wait(&all, &lock);
	waiting--;
	pthread_mutex_unlock(&lock);
	return argument;
}

static struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec at;
	clock_gettime(clock, &at);
	long long ns = at.tv_nsec + ms * 1000000LL;
	at.tv_sec += ns / 1000000000;
	at.tv_nsec = ns % 1000000000;
	return at;
}

int main(void)
{
	pthread_t producers[2], consumers[CONSUMERS], waiters[10];
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&producers[i], NULL, produces, NULL), 0);
	for (int i = 0; i < CONSUMERS; i++)
		CHECK_EQ(pthread_create(&consumers[i], NULL, consumes, NULL), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(producers[i], NULL), 0);
	pthread_mutex_lock(&lock);
	ended = 1;
	pthread_cond_broadcast(&not_empty);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < CONSUMERS; i++)
		CHECK_EQ(pthread_join(consumers[i], NULL), 0);
	CHECK_EQ(taken, 2 * ITEMS);
	CHECK_EQ(sum, (long long)ITEMS * (ITEMS - 1));

	for (int i = 0; i < 10; i++)
		CHECK_EQ(pthread_create(&waiters[i], NULL, waits, NULL), 0);
	pthread_mutex_lock(&lock);
	while (waiting < 10)
		pthread_cond_wait(&not_empty, &lock);
	gone = 1;
	CHECK_EQ(pthread_cond_broadcast(&all), 0);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(pthread_join(waiters[i], NULL), 0);
	CHECK_EQ(waiting, 0);

	/* Time limits; the mutex is held again afterwards. */
	pthread_mutex_lock(&lock);
	struct timespec before = in_ms(CLOCK_MONOTONIC, 0), at = in_ms(CLOCK_REALTIME, 20);
	CHECK_EQ(pthread_cond_timedwait(&all, &lock, &at), ETIMEDOUT);
	at = in_ms(CLOCK_MONOTONIC, 20);
	CHECK_EQ(pthread_cond_clockwait(&all, &lock, CLOCK_MONOTONIC, &at), ETIMEDOUT);
	struct timespec after = in_ms(CLOCK_MONOTONIC, 0);
	CHECK((long)(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 38);
	CHECK_EQ(pthread_cond_timedwait(&all, &lock, &(struct timespec){ 0, 1000000000 }), EINVAL);
	CHECK_EQ(pthread_cond_timedwait(&all, &lock, &(struct timespec){ 0, 0 }), ETIMEDOUT);
	CHECK_EQ(pthread_mutex_trylock(&lock), EBUSY);

	pthread_condattr_t attributes;
	pthread_cond_t monotonic;
	clockid_t clock;
	CHECK_EQ(pthread_condattr_init(&attributes), 0);
	CHECK_EQ(pthread_condattr_getclock(&attributes, &clock), 0);
	CHECK_EQ(clock, CLOCK_REALTIME);
	CHECK_EQ(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), 0);
	CHECK_EQ(pthread_condattr_setclock(&attributes, CLOCK_THREAD_CPUTIME_ID), EINVAL);
	CHECK_EQ(pthread_cond_init(&monotonic, &attributes), 0);
	at = in_ms(CLOCK_MONOTONIC, 10);
	CHECK_EQ(pthread_cond_timedwait(&monotonic, &lock, &at), ETIMEDOUT);
	CHECK_EQ(pthread_cond_destroy(&monotonic), 0);
	pthread_mutex_unlock(&lock);
	return check_done();
}
