/* Thread-specific data: destructors, their rounds, many keys, deletion; values in children and in new threads. */
#include <limits.h>
#include <pthread.h>
#include "process.h"

static pthread_key_t keys[200], again, plain;
static int destroyed, rounds;

static void destroy(void *value)
{
	destroyed += *(int *)value;
}

static void sets_again(void *value)
{
	rounds++;
	pthread_setspecific(again, value);
}

static void *thread(void *argument)
{
	static int one = 1;
	CHECK(pthread_getspecific(keys[7]) == NULL);
	for (int i = 0; i < 200; i++)
		CHECK_EQ(pthread_setspecific(keys[i], &one), 0);
	CHECK_EQ(pthread_setspecific(again, &one), 0);
	CHECK_EQ(pthread_setspecific(plain, argument), 0);
	for (int i = 0; i < 200; i += 2)
		CHECK_EQ(pthread_setspecific(keys[i], NULL), 0);
	CHECK(pthread_getspecific(keys[7]) == &one);
	return pthread_getspecific(plain);
}

int main(void)
{
	pthread_t one;
	void *result;
	int value = 5;
	for (int i = 0; i < 200; i++)
		CHECK_EQ(pthread_key_create(&keys[i], destroy), 0);
	CHECK_EQ(pthread_key_create(&again, sets_again), 0);
	CHECK_EQ(pthread_key_create(&plain, NULL), 0);
	CHECK_EQ(pthread_setspecific(keys[7], &value), 0);
	CHECK_EQ(pthread_create(&one, NULL, thread, &value), 0);
	CHECK_EQ(pthread_join(one, &result), 0);
	CHECK(result == &value);
	CHECK_EQ(destroyed, 100);
	CHECK_EQ(rounds, PTHREAD_DESTRUCTOR_ITERATIONS);
	CHECK(pthread_getspecific(keys[7]) == &value);

	pid_t pid = start();
	if (pid == 0) {
		CHECK(pthread_getspecific(keys[7]) == &value);
		CHECK_EQ(pthread_setspecific(keys[7], NULL), 0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK(pthread_getspecific(keys[7]) == &value);

	for (int i = 0; i < 200; i++)
		CHECK_EQ(pthread_key_delete(keys[i]), 0);
	CHECK_EQ(pthread_key_delete(keys[0]), EINVAL);
	CHECK_EQ(pthread_setspecific(keys[0], &value), EINVAL);
	CHECK(pthread_getspecific(keys[7]) == NULL);
	/* As many as there may be; a new one starts with NULL everywhere. */
	int made = 0, error;
	pthread_key_t key = 0;
	while ((error = pthread_key_create(&key, NULL)) == 0) {
		CHECK(pthread_getspecific(key) == NULL);
		made++;
	}
	CHECK_EQ(error, EAGAIN);
	CHECK_EQ(made, PTHREAD_KEYS_MAX - 2);
	return check_done();
}
