/* Detached threads: by attribute, by pthread_detach, by themselves; nobody joins them, their stacks are used again. */
#include <pthread.h>
#include <semaphore.h>
#include "check.h"

static sem_t done;

static void *thread(void *argument)
{
	volatile char space[60000];
	space[0] = space[59999] = 1;
	if (argument)
		CHECK_EQ(pthread_detach(pthread_self()), 0);
	sem_post(&done);
	return NULL;
}

static void *waits(void *argument)
{
	pthread_mutex_lock(argument);
	pthread_mutex_unlock(argument);
	sem_post(&done);
	return NULL;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t one;
	int state;
	CHECK_OK(sem_init(&done, 0, 0));
	CHECK_EQ(pthread_attr_init(&attributes), 0);
	CHECK_EQ(pthread_attr_getdetachstate(&attributes, &state), 0);
	CHECK_EQ(state, PTHREAD_CREATE_JOINABLE);
	CHECK_EQ(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED), 0);
	CHECK_EQ(pthread_attr_setdetachstate(&attributes, 9), EINVAL);
	for (int i = 0; i < 1500; i++) {
		CHECK_EQ(pthread_create(&one, i % 3 == 0 ? &attributes : NULL, thread, i % 3 == 1 ? &one : NULL), 0);
		if (i % 3 == 2)
			CHECK_EQ(pthread_detach(one), 0);
		CHECK_OK(sem_wait(&done));
	}
	/* One that certainly lives cannot be joined or detached again. */
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	CHECK_EQ(pthread_create(&one, &attributes, waits, &lock), 0);
	CHECK_EQ(pthread_join(one, NULL), EINVAL);
	CHECK_EQ(pthread_detach(one), EINVAL);
	pthread_mutex_unlock(&lock);
	CHECK_OK(sem_wait(&done));
	return check_done();
}
