/* Read-write locks: readers together, writers alone, try and time limits, preference, errors. */
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include "check.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int a, b;
static sem_t inside, leave;

static void *mixed(void *argument)
{
	long self = (long)argument, bad = 0;
	for (int i = 0; i < 1000; i++) {
		if ((i + self) % 10 == 0) {
			bad += pthread_rwlock_wrlock(&lock) != 0;
			a++;
			b++;
		} else {
			bad += pthread_rwlock_rdlock(&lock) != 0;
			bad += a != b;
		}
		bad += pthread_rwlock_unlock(&lock) != 0;
	}
	return (void *)bad;
}

static void *reads(void *argument)
{
	CHECK_EQ(pthread_rwlock_rdlock(&lock), 0);
	sem_post(&inside);
	sem_wait(&leave);
	CHECK_EQ(pthread_rwlock_unlock(&lock), 0);
	return argument;
}

static void *tries(void *argument)
{
	struct timespec past = { 0, 0 };
	CHECK_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
	CHECK_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
	CHECK_EQ(pthread_rwlock_timedrdlock(&lock, &past), ETIMEDOUT);
	CHECK_EQ(pthread_rwlock_timedwrlock(&lock, &past), ETIMEDOUT);
	CHECK_EQ(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &past), ETIMEDOUT);
	past.tv_nsec = -1;
	CHECK_EQ(pthread_rwlock_timedrdlock(&lock, &past), EINVAL);
	return argument;
}

static void *writes(void *argument)
{
	CHECK_EQ(pthread_rwlock_wrlock(argument), 0);
	sem_post(&inside);
	CHECK_EQ(pthread_rwlock_unlock(argument), 0);
	return argument;
}

int main(void)
{
	pthread_t threads[8];
	CHECK_OK(sem_init(&inside, 0, 0));
	CHECK_OK(sem_init(&leave, 0, 0));
	for (long i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, mixed, (void *)i), 0);
	for (int i = 0; i < 8; i++) {
		void *bad;
		CHECK_EQ(pthread_join(threads[i], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
	CHECK_EQ(a, 800);

	/* Five readers at the same time. */
	for (int i = 0; i < 5; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, reads, NULL), 0);
	for (int i = 0; i < 5; i++)
		sem_wait(&inside);
	CHECK_EQ(pthread_rwlock_tryrdlock(&lock), 0);
	CHECK_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
	CHECK_EQ(pthread_rwlock_unlock(&lock), 0);
	for (int i = 0; i < 5; i++)
		sem_post(&leave);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);

	CHECK_EQ(pthread_rwlock_wrlock(&lock), 0);
	CHECK_EQ(pthread_rwlock_wrlock(&lock), EDEADLK);
	CHECK_EQ(pthread_rwlock_rdlock(&lock), EDEADLK);
	CHECK_EQ(pthread_create(&threads[0], NULL, tries, NULL), 0);
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
	CHECK_EQ(pthread_rwlock_unlock(&lock), 0);

	/* With a preference for writers a waiting one keeps new readers out. */
	pthread_rwlockattr_t attributes;
	pthread_rwlock_t writers;
	int kind;
	CHECK_EQ(pthread_rwlockattr_init(&attributes), 0);
	CHECK_EQ(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP), 0);
	CHECK_EQ(pthread_rwlockattr_getkind_np(&attributes, &kind), 0);
	CHECK_EQ(kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	CHECK_EQ(pthread_rwlock_init(&writers, &attributes), 0);
	CHECK_EQ(pthread_rwlock_rdlock(&writers), 0);
	CHECK_EQ(pthread_create(&threads[0], NULL, writes, &writers), 0);
	while (pthread_rwlock_tryrdlock(&writers) == 0) {
		CHECK_EQ(pthread_rwlock_unlock(&writers), 0);
		nanosleep(&(struct timespec){ 0, 100000 }, NULL);
	}
	CHECK_EQ(pthread_rwlock_unlock(&writers), 0);
	sem_wait(&inside);
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
	CHECK_EQ(pthread_rwlock_destroy(&writers), 0);
	return check_done();
}
