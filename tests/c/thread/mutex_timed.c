/* pthread_mutex_timedlock and clocklock: in time, too late, at once, and with a time that is none. */
#include <pthread.h>
#include <time.h>
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec at;
	clock_gettime(clock, &at);
	long long ns = at.tv_nsec + ms * 1000000LL;
	at.tv_sec += ns / 1000000000;
	at.tv_nsec = ns % 1000000000;
	return at;
}

static void *tries(void *argument)
{
	struct timespec before = in_ms(CLOCK_MONOTONIC, 0), after, at = in_ms(CLOCK_REALTIME, 20);
	(void)argument;
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &at), ETIMEDOUT);
	at = in_ms(CLOCK_MONOTONIC, 20);
	CHECK_EQ(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &at), ETIMEDOUT);
	after = in_ms(CLOCK_MONOTONIC, 0);
	long ms = (long)(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	CHECK(ms >= 38);
	at = (struct timespec){ 0, 0 };
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &at), ETIMEDOUT);
	at.tv_nsec = 1000000000;
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &at), EINVAL);
	at = (struct timespec){ -5, 0 };
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &at), ETIMEDOUT);
	CHECK_EQ(pthread_mutex_clocklock(&mutex, CLOCK_PROCESS_CPUTIME_ID, &at), EINVAL);
	return NULL;
}

static void *gets(void *argument)
{
	struct timespec at = in_ms(CLOCK_REALTIME, 15000);
	(void)argument;
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &at), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	/* A free one is had even when the time is over. */
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &(struct timespec){ 0, 0 }), 0);
	CHECK_EQ(pthread_create(&thread, NULL, tries, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(pthread_create(&thread, NULL, gets, NULL), 0);
	nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	return check_done();
}
