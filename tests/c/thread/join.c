/* pthread_join and its relatives: results, errors, time limits. */
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static sem_t go;
static pthread_t first;

static void *returns(void *argument)
{
	sem_wait(&go);
	return argument;
}

static void *exits(void *argument)
{
	pthread_exit((char *)argument + 1);
}


static void *waits_for_main(void *argument)
{
	void *result = NULL;
	CHECK_EQ(pthread_join(first, &result), 0);
	CHECK(result == argument);
	check_done();
	fflush(stdout);
	_exit(check_failures != 0);
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
	pthread_t thread;
	void *result;
	char place[2];
	first = pthread_self();
	CHECK_OK(sem_init(&go, 0, 0));
	CHECK_EQ(pthread_create(&thread, NULL, returns, place), 0);
	CHECK_EQ(pthread_tryjoin_np(thread, &result), EBUSY);
	struct timespec soon = in_ms(CLOCK_REALTIME, 10);
	CHECK_EQ(pthread_timedjoin_np(thread, &result, &soon), ETIMEDOUT);
	soon = in_ms(CLOCK_MONOTONIC, 10);
	CHECK_EQ(pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &soon), ETIMEDOUT);
	sem_post(&go);
	soon = in_ms(CLOCK_REALTIME, 10000);
	CHECK_EQ(pthread_timedjoin_np(thread, &result, &soon), 0);
	CHECK(result == place);

	CHECK_EQ(pthread_create(&thread, NULL, exits, place), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == place + 1);

	CHECK_EQ(pthread_join(pthread_self(), NULL), EDEADLK);

	CHECK(pthread_equal(first, pthread_self()));
	CHECK_EQ(pthread_create(&thread, NULL, waits_for_main, place + 1), 0);
	pthread_exit(place + 1);
}
