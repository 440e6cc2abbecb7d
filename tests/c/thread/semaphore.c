/* Unnamed semaphores: counting, trying, waiting with a limit, interrupted by a handler, errors. */
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/time.h>
#include "process.h"

static sem_t sem, back;
static volatile int calls;

static void on_alarm(int signo)
{
	(void)signo;
	calls++;
	/* sem_post is allowed in a handler. */
	if (calls == 3)
		sem_post(&back);
}

static void *echo(void *argument)
{
	for (int i = 0; i < 2000; i++) {
		sem_wait(&sem);
		sem_post(&back);
	}
	return argument;
}

int main(void)
{
	int value;
	pthread_t threads[3];
	struct timespec at;
	CHECK_OK(sem_init(&sem, 0, 3));
	CHECK_ERRNO(sem_init(&back, 0, (unsigned)INT_MAX + 1), EINVAL);
	CHECK_OK(sem_init(&back, 0, 0));
	for (int i = 0; i < 3; i++)
		CHECK_OK(sem_trywait(&sem));
	CHECK_ERRNO(sem_trywait(&sem), EAGAIN);
	CHECK_OK(sem_getvalue(&sem, &value));
	CHECK_EQ(value, 0);
	clock_gettime(CLOCK_REALTIME, &at);
	CHECK_ERRNO(sem_timedwait(&sem, &at), ETIMEDOUT);
	at.tv_nsec = -1;
	CHECK_ERRNO(sem_timedwait(&sem, &at), EINVAL);
	clock_gettime(CLOCK_MONOTONIC, &at);
	CHECK_ERRNO(sem_clockwait(&sem, CLOCK_MONOTONIC, &at), ETIMEDOUT);

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, echo, NULL), 0);
	for (int i = 0; i < 6000; i++)
		CHECK_OK(sem_post(&sem));
	for (int i = 0; i < 6000; i++)
		CHECK_OK(sem_wait(&back));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);

	struct itimerval often = { { 0, 3000 }, { 0, 3000 } }, off = { { 0, 0 }, { 0, 0 } };
	CHECK_OK(handle(SIGALRM, on_alarm, 0));
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	CHECK_ERRNO(sem_wait(&sem), EINTR);
	int result;
	while ((result = sem_wait(&back)) < 0)
		CHECK_EQ(errno, EINTR);
	CHECK(calls >= 3);
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));

	CHECK_OK(sem_destroy(&sem));
	CHECK_OK(sem_init(&sem, 0, INT_MAX));
	CHECK_ERRNO(sem_post(&sem), EOVERFLOW);
	return check_done();
}
