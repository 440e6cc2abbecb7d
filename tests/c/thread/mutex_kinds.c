/* Mutexes: normal, error-checking, recursive, adaptive, by attribute and by initializer. */
#include <pthread.h>
#include "check.h"

static pthread_mutex_t statics[] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP,
				     PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP };
static const int kinds[] = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ADAPTIVE_NP };
static int counter;

static void *tries(void *argument)
{
	return (void *)(long)pthread_mutex_trylock(argument);
}

static void *unlocks(void *argument)
{
	return (void *)(long)pthread_mutex_unlock(argument);
}

static void *counts(void *argument)
{
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(argument);
		counter++;
		pthread_mutex_unlock(argument);
	}
	return NULL;
}

static long elsewhere(void *(*function)(void *), void *argument)
{
	pthread_t thread;
	void *result = (void *)-1;
	CHECK_EQ(pthread_create(&thread, NULL, function, argument), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	return (long)result;
}

static void use(pthread_mutex_t *mutex, int kind)
{
	CHECK_EQ(pthread_mutex_lock(mutex), 0);
	CHECK_EQ(elsewhere(tries, mutex), EBUSY);
	if (kind == PTHREAD_MUTEX_ERRORCHECK) {
		CHECK_EQ(pthread_mutex_lock(mutex), EDEADLK);
		CHECK_EQ(pthread_mutex_trylock(mutex), EBUSY);
		CHECK_EQ(elsewhere(unlocks, mutex), EPERM);
		CHECK_EQ(pthread_mutex_destroy(mutex), EBUSY);
	} else if (kind == PTHREAD_MUTEX_RECURSIVE) {
		CHECK_EQ(pthread_mutex_lock(mutex), 0);
		CHECK_EQ(pthread_mutex_trylock(mutex), 0);
		CHECK_EQ(pthread_mutex_unlock(mutex), 0);
		CHECK_EQ(pthread_mutex_unlock(mutex), 0);
		CHECK_EQ(elsewhere(tries, mutex), EBUSY);
		CHECK_EQ(elsewhere(unlocks, mutex), EPERM);
	} else {
		CHECK_EQ(pthread_mutex_trylock(mutex), EBUSY);
	}
	CHECK_EQ(pthread_mutex_unlock(mutex), 0);
	if (kind == PTHREAD_MUTEX_ERRORCHECK || kind == PTHREAD_MUTEX_RECURSIVE)
		CHECK_EQ(pthread_mutex_unlock(mutex), EPERM);

	pthread_t threads[8];
	counter = 0;
	for (int i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, counts, mutex), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(counter, 40000);
	CHECK_EQ(pthread_mutex_destroy(mutex), 0);
}

int main(void)
{
	for (int i = 0; i < 4; i++) {
		pthread_mutexattr_t attributes;
		pthread_mutex_t mutex;
		int kind;
		use(&statics[i], kinds[i]);
		CHECK_EQ(pthread_mutexattr_init(&attributes), 0);
		CHECK_EQ(pthread_mutexattr_settype(&attributes, kinds[i]), 0);
		CHECK_EQ(pthread_mutexattr_gettype(&attributes, &kind), 0);
		CHECK_EQ(kind, kinds[i]);
		CHECK_EQ(pthread_mutexattr_settype(&attributes, 77), EINVAL);
		CHECK_EQ(pthread_mutex_init(&mutex, &attributes), 0);
		use(&mutex, kinds[i]);
		CHECK_EQ(pthread_mutexattr_destroy(&attributes), 0);
	}
	return check_done();
}
