/* Deferred cancellation: at cancellation points, with cleanup handlers backwards, not while it is disabled. */
#include <pthread.h>
#include <semaphore.h>
#include <sys/select.h>
#include "process.h"

static int fds[2];
static sem_t ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static char order[16];

static void clean(void *argument)
{
	size_t at = strlen(order);
	order[at] = *(char *)argument;
	order[at + 1] = 0;
}

static void clean_mutex(void *argument)
{
	clean("m");
	/* A cancelled wait has taken the mutex again. */
	CHECK_EQ(pthread_mutex_trylock(&lock), EBUSY);
	pthread_mutex_unlock(argument);
}

static volatile int looping;

static void *blocks(void *argument)
{
	char byte;
	sem_t none;
	sigset_t set;
	struct timespec longer = { 1000, 0 };
	pthread_cleanup_push(clean, "1");
	pthread_cleanup_push(clean, "2");
	sem_post(&ready);
	switch ((int)(long)argument) {
	case 0: CHECK_EQ(read(fds[0], &byte, 1), 1); break;
	case 1: nanosleep(&longer, NULL); break;
	case 2: sem_init(&none, 0, 0); sem_wait(&none); break;
	case 3: pause(); break;
	case 4: for (looping = 1;;) pthread_testcancel(); break;
	case 5: sigemptyset(&set); sigaddset(&set, SIGUSR1); sigwaitinfo(&set, NULL); break;
	case 6: select(0, NULL, NULL, NULL, NULL); break;
	case 7: for (;;) usleep(100); break;
	case 8: wait(NULL); break;
	}
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *waits(void *argument)
{
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(clean_mutex, &lock);
	sem_post(&ready);
	pthread_cond_wait(&never, &lock);
	pthread_cleanup_pop(1);
	return argument;
}

static void *joins(void *argument)
{
	pthread_join(*(pthread_t *)argument, NULL);
	return NULL;
}

static void *disabled(void *argument)
{
	int old;
	CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old), 0);
	CHECK_EQ(old, PTHREAD_CANCEL_ENABLE);
	CHECK_EQ(pthread_setcancelstate(77, &old), EINVAL);
	sem_post(&ready);
	gate_wait(argument);
	pthread_testcancel();
	usleep(10);
	clean("d");
	CHECK_EQ(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old), 0);
	pthread_testcancel();
	clean("x");
	return NULL;
}

int main(void)
{
	pthread_t thread, other;
	void *result;
	CHECK_OK(pipe(fds));
	CHECK_OK(sem_init(&ready, 0, 0));
	pid_t child = start();
	if (child == 0) {
		for (;;)
			pause();
	}
	for (long way = 0; way <= 8; way++) {
		order[0] = 0;
		CHECK_EQ(pthread_create(&thread, NULL, blocks, (void *)way), 0);
		sem_wait(&ready);
		if (way % 2 == 0)
			usleep(2000);
		CHECK_EQ(pthread_cancel(thread), 0);
		CHECK_EQ(pthread_join(thread, &result), 0);
		CHECK(result == PTHREAD_CANCELED);
		CHECK_STR(order, "21");
	}
	kill(child, SIGKILL);
	CHECK_EQ(ended(child), 137);

	order[0] = 0;
	CHECK_EQ(pthread_create(&thread, NULL, waits, NULL), 0);
	sem_wait(&ready);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	CHECK_EQ(pthread_cancel(thread), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_STR(order, "m");
	CHECK_EQ(pthread_mutex_trylock(&lock), 0);

	/* A cancelled pthread_join leaves the joined thread joinable. */
	CHECK_EQ(pthread_create(&thread, NULL, blocks, (void *)3), 0);
	sem_wait(&ready);
	CHECK_EQ(pthread_create(&other, NULL, joins, &thread), 0);
	usleep(2000);
	CHECK_EQ(pthread_cancel(other), 0);
	CHECK_EQ(pthread_join(other, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_EQ(pthread_cancel(thread), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);

	order[0] = 0;
	struct gate go = gate();
	CHECK_EQ(pthread_create(&thread, NULL, disabled, &go), 0);
	sem_wait(&ready);
	CHECK_EQ(pthread_cancel(thread), 0);
	gate_open(&go);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_STR(order, "d");
	return check_done();
}
