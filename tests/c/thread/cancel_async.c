/* Asynchronous cancellation: in a loop without calls, at once when it is switched on, cleanup handlers and keys included. */
#include <pthread.h>
#include <semaphore.h>
#include "check.h"

static sem_t ready;
static volatile unsigned turns;
static int cleaned, destroyed;
static pthread_key_t key;

static void clean(void *argument)
{
	(void)argument;
	cleaned++;
}

static void destroy(void *argument)
{
	(void)argument;
	destroyed++;
}

static void *loops(void *argument)
{
	int old;
	pthread_setspecific(key, &key);
	pthread_cleanup_push(clean, NULL);
	CHECK_EQ(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old), 0);
	CHECK_EQ(old, PTHREAD_CANCEL_DEFERRED);
	sem_post(&ready);
	for (;;)
		turns++;
	pthread_cleanup_pop(0);
	return argument;
}

static void *later(void *argument)
{
	int old;
	pthread_setspecific(key, &key);
	CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old), 0);
	CHECK_EQ(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old), 0);
	CHECK_EQ(pthread_setcanceltype(77, &old), EINVAL);
	sem_post(&ready);
	sem_wait(argument);
	pthread_cleanup_push(clean, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	for (;;)
		turns++;
	pthread_cleanup_pop(0);
	return argument;
}

static void *itself(void *argument)
{
	int old;
	pthread_cleanup_push(clean, NULL);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	pthread_cancel(pthread_self());
	for (;;)
		turns++;
	pthread_cleanup_pop(0);
	return argument;
}

int main(void)
{
	pthread_t thread;
	void *result;
	sem_t go;
	CHECK_OK(sem_init(&ready, 0, 0));
	CHECK_OK(sem_init(&go, 0, 0));
	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(pthread_create(&thread, NULL, loops, NULL), 0);
		sem_wait(&ready);
		CHECK_EQ(pthread_cancel(thread), 0);
		CHECK_EQ(pthread_join(thread, &result), 0);
		CHECK(result == PTHREAD_CANCELED);
	}
	CHECK_EQ(cleaned, 20);
	CHECK_EQ(destroyed, 20);
	CHECK_EQ(pthread_create(&thread, NULL, later, &go), 0);
	sem_wait(&ready);
	CHECK_EQ(pthread_cancel(thread), 0);
	CHECK_EQ(cleaned, 20);
	sem_post(&go);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_EQ(pthread_create(&thread, NULL, itself, NULL), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_EQ(cleaned, 22);
	CHECK_EQ(destroyed, 21);
	return check_done();
}
