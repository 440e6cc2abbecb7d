/* Robust mutexes: their owner's end is told to the next one; consistent or not recoverable; between threads and processes. */
#include <pthread.h>
#include <sys/mman.h>
#include "process.h"

static pthread_mutex_t *make(int type, int protocol)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int robust;
	CHECK_EQ(pthread_mutexattr_init(&attributes), 0);
	CHECK_EQ(pthread_mutexattr_getrobust(&attributes, &robust), 0);
	CHECK_EQ(robust, PTHREAD_MUTEX_STALLED);
	CHECK_EQ(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), 0);
	CHECK_EQ(pthread_mutexattr_setrobust(&attributes, 9), EINVAL);
	CHECK_EQ(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_mutexattr_settype(&attributes, type), 0);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attributes, protocol), 0);
	CHECK_EQ(pthread_mutex_init(mutex, &attributes), 0);
	return mutex;
}

static void *leaves(void *argument)
{
	CHECK_EQ(pthread_mutex_lock(argument), 0);
	return NULL;
}

static void *awaits(void *argument)
{
	long result = pthread_mutex_lock(argument);
	CHECK_EQ(pthread_mutex_consistent(argument), 0);
	CHECK_EQ(pthread_mutex_unlock(argument), 0);
	return (void *)result;
}

static void threads(int type, int protocol)
{
	pthread_t thread, other;
	void *result;
	pthread_mutex_t *mutex = make(type, protocol);
	CHECK_EQ(pthread_create(&thread, NULL, leaves, mutex), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(mutex), 0);
	CHECK_EQ(pthread_mutex_lock(mutex), 0);
	CHECK_EQ(pthread_mutex_consistent(mutex), EINVAL);
	CHECK_EQ(pthread_mutex_unlock(mutex), 0);

	CHECK_EQ(pthread_create(&thread, NULL, leaves, mutex), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(pthread_mutex_trylock(mutex), EOWNERDEAD);
	/* Given back without having been mended: nobody gets it any more. */
	CHECK_EQ(pthread_mutex_unlock(mutex), 0);
	CHECK_EQ(pthread_mutex_lock(mutex), ENOTRECOVERABLE);
	CHECK_EQ(pthread_mutex_trylock(mutex), ENOTRECOVERABLE);
	CHECK_EQ(pthread_mutex_destroy(mutex), 0);

	/* The one who waits already is woken. */
	mutex = make(type, protocol);
	struct gate locked = gate(), go = gate();
	pid_t pid = start();
	if (pid == 0) {
		CHECK_EQ(pthread_mutex_lock(mutex), 0);
		gate_open(&locked);
		gate_wait(&go);
		_exit(check_failures);
	}
	gate_wait(&locked);
	CHECK_EQ(pthread_mutex_trylock(mutex), EBUSY);
	CHECK_EQ(pthread_create(&other, NULL, awaits, mutex), 0);
	usleep(2000);
	gate_open(&go);
	CHECK_EQ(pthread_join(other, &result), 0);
	CHECK_EQ((long)result, EOWNERDEAD);
	CHECK_EQ(ended(pid), 0);

	/* A process that is killed, and one that executes another program. */
	pid = start();
	if (pid == 0) {
		CHECK_EQ(pthread_mutex_lock(mutex), 0);
		kill(getpid(), SIGKILL);
	}
	CHECK_EQ(ended(pid), 137);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(mutex), 0);
	pid = start();
	if (pid == 0) {
		CHECK_EQ(pthread_mutex_lock(mutex), 0);
		execl("/proc/self/exe", "image", "image", (char *)NULL);
	}
	CHECK_EQ(ended(pid), 5);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(mutex), 0);
	CHECK_EQ(pthread_mutex_destroy(mutex), 0);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 5;
	threads(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE);
	threads(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE);
	threads(PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE);
	return check_done();
}
