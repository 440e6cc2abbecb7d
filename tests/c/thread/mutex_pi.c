/* Mutexes with priority inheritance: as all others for threads of one priority; between processes too. */
#include <pthread.h>
#include <sys/mman.h>
#include "process.h"

static int *counter;

static void *counts(void *argument)
{
	for (int i = 0; i < 2000; i++) {
		if (pthread_mutex_lock(argument) != 0)
			return argument;
		++*counter;
		if (pthread_mutex_unlock(argument) != 0)
			return argument;
	}
	return NULL;
}

static pthread_mutex_t *make(int type, int shared)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int protocol;
	CHECK_EQ(pthread_mutexattr_init(&attributes), 0);
	CHECK_EQ(pthread_mutexattr_getprotocol(&attributes, &protocol), 0);
	CHECK_EQ(protocol, PTHREAD_PRIO_NONE);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attributes, 9), EINVAL);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT), 0);
	CHECK_EQ(pthread_mutexattr_settype(&attributes, type), 0);
	CHECK_EQ(pthread_mutexattr_setpshared(&attributes, shared), 0);
	CHECK_EQ(pthread_mutex_init(mutex, &attributes), 0);
	return mutex;
}

int main(void)
{
	static const int types[] = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE };
	struct timespec soon;
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 3; i++) {
		pthread_t threads[4];
		pthread_mutex_t *mutex = make(types[i], PTHREAD_PROCESS_PRIVATE);
		CHECK_EQ(pthread_mutex_lock(mutex), 0);
		if (types[i] == PTHREAD_MUTEX_ERRORCHECK)
			CHECK_EQ(pthread_mutex_lock(mutex), EDEADLK);
		if (types[i] == PTHREAD_MUTEX_RECURSIVE) {
			CHECK_EQ(pthread_mutex_lock(mutex), 0);
			CHECK_EQ(pthread_mutex_unlock(mutex), 0);
		} else {
			CHECK_EQ(pthread_mutex_trylock(mutex), types[i] == PTHREAD_MUTEX_ERRORCHECK ? EDEADLK : EBUSY);
		}
		CHECK_EQ(pthread_mutex_unlock(mutex), 0);
		*counter = 0;
		for (int k = 0; k < 4; k++)
			CHECK_EQ(pthread_create(&threads[k], NULL, counts, mutex), 0);
		for (int k = 0; k < 4; k++) {
			void *result;
			CHECK_EQ(pthread_join(threads[k], &result), 0);
			CHECK(result == NULL);
		}
		CHECK_EQ(*counter, 8000);
		CHECK_EQ(pthread_mutex_destroy(mutex), 0);

		mutex = make(types[i], PTHREAD_PROCESS_SHARED);
		pid_t pids[4];
		*counter = 0;
		for (int k = 0; k < 4; k++)
			if ((pids[k] = start()) == 0)
				_exit(counts(mutex) != NULL);
		for (int k = 0; k < 4; k++)
			CHECK_EQ(ended(pids[k]), 0);
		CHECK_EQ(*counter, 8000);

		struct gate locked = gate(), go = gate();
		pid_t pid = start();
		if (pid == 0) {
			CHECK_EQ(pthread_mutex_lock(mutex), 0);
			gate_open(&locked);
			gate_wait(&go);
			CHECK_EQ(pthread_mutex_unlock(mutex), 0);
			finish();
		}
		gate_wait(&locked);
		clock_gettime(CLOCK_REALTIME, &soon);
		CHECK_EQ(pthread_mutex_timedlock(mutex, &soon), ETIMEDOUT);
		gate_open(&go);
		CHECK_EQ(pthread_mutex_lock(mutex), 0);
		CHECK_EQ(pthread_mutex_unlock(mutex), 0);
		CHECK_EQ(ended(pid), 0);
	}
	return check_done();
}
