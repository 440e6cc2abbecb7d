/* Mutex, condition variable, barrier, rwlock, spin lock and semaphore in memory that forked processes share. */
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include "process.h"

enum { PROCESSES = 6, ROUNDS = 300 };

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	pthread_rwlock_t rwlock;
	pthread_spinlock_t spin;
	sem_t sem;
	int counter, turn, a, b, phases[PROCESSES], spun;
} *shared;

static void worker(int self)
{
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(pthread_mutex_lock(&shared->mutex), 0);
		shared->counter++;
		CHECK_EQ(pthread_mutex_unlock(&shared->mutex), 0);
	}
	/* Each in turn, by the condition variable. */
	for (int i = 0; i < 30; i++) {
		CHECK_EQ(pthread_mutex_lock(&shared->mutex), 0);
		while (shared->turn % PROCESSES != self)
			CHECK_EQ(pthread_cond_wait(&shared->cond, &shared->mutex), 0);
		shared->turn++;
		CHECK_EQ(pthread_cond_broadcast(&shared->cond), 0);
		CHECK_EQ(pthread_mutex_unlock(&shared->mutex), 0);
	}
	/* Phases, by the barrier: nobody is one ahead. */
	int serial = 0;
	for (int i = 0; i < 30; i++) {
		shared->phases[self] = i;
		int result = pthread_barrier_wait(&shared->barrier);
		CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
		serial += result == PTHREAD_BARRIER_SERIAL_THREAD;
		for (int k = 0; k < PROCESSES; k++)
			CHECK_EQ(shared->phases[k], i);
		pthread_barrier_wait(&shared->barrier);
	}
	for (int i = 0; i < ROUNDS; i++) {
		if ((i + self) % 5 == 0) {
			CHECK_EQ(pthread_rwlock_wrlock(&shared->rwlock), 0);
			shared->a++;
			shared->b++;
		} else {
			CHECK_EQ(pthread_rwlock_rdlock(&shared->rwlock), 0);
			CHECK_EQ(shared->a, shared->b);
		}
		CHECK_EQ(pthread_rwlock_unlock(&shared->rwlock), 0);
		CHECK_EQ(pthread_spin_lock(&shared->spin), 0);
		shared->spun++;
		CHECK_EQ(pthread_spin_unlock(&shared->spin), 0);
	}
	CHECK_OK(sem_post(&shared->sem));
}

int main(void)
{
	pthread_mutexattr_t m;
	pthread_condattr_t c;
	pthread_barrierattr_t b;
	pthread_rwlockattr_t r;
	pid_t pids[PROCESSES];
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&m);
	CHECK_EQ(pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_mutex_init(&shared->mutex, &m), 0);
	pthread_condattr_init(&c);
	CHECK_EQ(pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_cond_init(&shared->cond, &c), 0);
	pthread_barrierattr_init(&b);
	CHECK_EQ(pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_barrier_init(&shared->barrier, &b, PROCESSES), 0);
	pthread_rwlockattr_init(&r);
	CHECK_EQ(pthread_rwlockattr_setpshared(&r, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_rwlock_init(&shared->rwlock, &r), 0);
	CHECK_EQ(pthread_spin_init(&shared->spin, PTHREAD_PROCESS_SHARED), 0);
	CHECK_OK(sem_init(&shared->sem, 1, 0));
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			worker(i);
			finish();
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		CHECK_OK(sem_wait(&shared->sem));
	for (int i = 0; i < PROCESSES; i++)
		CHECK_EQ(ended(pids[i]), 0);
	CHECK_ERRNO(sem_trywait(&shared->sem), EAGAIN);
	CHECK_EQ(shared->counter, PROCESSES * ROUNDS);
	CHECK_EQ(shared->turn, PROCESSES * 30);
	CHECK_EQ(shared->spun, PROCESSES * ROUNDS);
	CHECK_EQ(shared->a, PROCESSES * ROUNDS / 5);
	CHECK_EQ(shared->a, shared->b);
	CHECK_EQ(pthread_barrier_destroy(&shared->barrier), 0);
	CHECK_EQ(pthread_cond_destroy(&shared->cond), 0);
	return check_done();
}
