/* fork from a thread that is not the first: it alone lives on in the child, as the child's main thread. */
#include <pthread.h>
#include <sys/syscall.h>
#include "process.h"

static pthread_key_t key;
static __thread int local = 1;

static void destroyed(void *value)
{
	*(int *)value += 1;
}

static void *its_pid(void *argument)
{
	(void)argument;
	return (void *)(long)getpid();
}

static void *forker(void *argument)
{
	static int value;
	local = 7;
	pthread_setspecific(key, &value);
	pthread_t self = pthread_self();
	pid_t pid = start();
	if (pid == 0) {
		CHECK_EQ(getpid(), syscall(SYS_gettid));
		CHECK_EQ(local, 7);
		CHECK(pthread_equal(self, pthread_self()));
		CHECK(pthread_getspecific(key) == &value);
		/* The child can make threads and processes itself. */
		pthread_t thread;
		void *result;
		CHECK_EQ(pthread_create(&thread, NULL, its_pid, NULL), 0);
		CHECK_EQ(pthread_join(thread, &result), 0);
		CHECK_EQ((long)result, getpid());
		pid_t inner = start();
		if (inner == 0)
			_exit(local == 7 ? 31 : 1);
		CHECK_EQ(ended(inner), 31);
		/* The end of this last thread by pthread_exit is the end of the process, with status 0. */
		if (argument == NULL)
			pthread_exit(NULL);
		/* A return from the thread's function likewise. */
		return check_failures ? (_exit(99), NULL) : NULL;
	}
	CHECK_EQ(ended(pid), 0);
	return NULL;
}

static void *waiter(void *argument)
{
	pthread_mutex_lock(argument);
	pthread_mutex_unlock(argument);
	return NULL;
}

int main(void)
{
	pthread_t thread, others[4];
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	CHECK_EQ(pthread_key_create(&key, destroyed), 0);
	pthread_mutex_lock(&held);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&others[i], NULL, waiter, &held), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_create(&thread, NULL, forker, i % 2 ? &local : NULL), 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
	CHECK_EQ(local, 1);
	pthread_mutex_unlock(&held);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(others[i], NULL), 0);
	return check_done();
}
