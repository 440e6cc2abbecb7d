/* Signals and threads: pthread_kill and tgkill reach one thread, kill reaches one that does not block; masks are each thread's. */
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include "process.h"

static __thread int local_calls;
static pthread_t ran_in;
static volatile int calls;
static sem_t ready, ran;

static void on_signal(int signo)
{
	(void)signo;
	local_calls++;
	ran_in = pthread_self();
	calls++;
	sem_post(&ran);
}

static void *pauses(void *argument)
{
	pid_t *tid = argument;
	*tid = gettid();
	sem_post(&ready);
	while (local_calls < 5)
		pause();
	return NULL;
}

static volatile int stop;
static volatile unsigned turns;

static void *spins(void *argument)
{
	*(pid_t *)argument = gettid();
	sem_post(&ready);
	while (!stop)
		turns++;
	return (void *)(long)local_calls;
}

static void *blocks(void *argument)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	sem_post(&ready);
	gate_wait(argument);
	CHECK(is_pending(SIGUSR1));
	CHECK_EQ(local_calls, 0);
	CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
	CHECK_EQ(local_calls, 1);
	return NULL;
}

static void *inherits(void *argument)
{
	(void)argument;
	CHECK(is_blocked(SIGUSR2));
	/* What is pending for one thread is not for another, and a new thread has nothing. */
	CHECK(!is_pending(SIGUSR2));
	return NULL;
}

int main(void)
{
	pthread_t thread;
	pid_t tid;
	void *result;
	CHECK_OK(sem_init(&ready, 0, 0));
	CHECK_OK(sem_init(&ran, 0, 0));
	CHECK_OK(handle(SIGUSR1, on_signal, SA_RESTART));
	CHECK_EQ(pthread_create(&thread, NULL, pauses, &tid), 0);
	sem_wait(&ready);
	for (int i = 0; i < 5; i++) {
		CHECK_OK(i % 2 ? pthread_kill(thread, SIGUSR1) : syscall(SYS_tgkill, getpid(), tid, SIGUSR1));
		sem_wait(&ran);
		CHECK(pthread_equal(ran_in, thread));
	}
	/* The last one may have come before pause: wake it for sure. */
	while (pthread_tryjoin_np(thread, NULL) == EBUSY) {
		pthread_kill(thread, SIGUSR1);
		usleep(500);
	}
	CHECK_EQ(local_calls, 0);
	while (sem_trywait(&ran) == 0)
		;

	/* Into a loop without calls. */
	CHECK_EQ(pthread_create(&thread, NULL, spins, &tid), 0);
	sem_wait(&ready);
	calls = 0;
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
		sem_wait(&ran);
		CHECK(pthread_equal(ran_in, thread));
	}
	/* One for the process while the main thread blocks it. */
	mask(SIG_BLOCK, SIGUSR1);
	CHECK_OK(kill(getpid(), SIGUSR1));
	sem_wait(&ran);
	CHECK(pthread_equal(ran_in, thread));
	mask(SIG_UNBLOCK, SIGUSR1);
	stop = 1;
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK_EQ((long)result, 21);

	struct gate go = gate();
	CHECK_EQ(pthread_create(&thread, NULL, blocks, &go), 0);
	sem_wait(&ready);
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	CHECK(!is_pending(SIGUSR1));
	gate_open(&go);
	CHECK_EQ(pthread_join(thread, NULL), 0);

	mask(SIG_BLOCK, SIGUSR2);
	CHECK_EQ(pthread_kill(pthread_self(), SIGUSR2), 0);
	CHECK(is_pending(SIGUSR2));
	CHECK_EQ(pthread_create(&thread, NULL, inherits, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);

	CHECK_EQ(pthread_kill(pthread_self(), 0), 0);
	CHECK_EQ(pthread_kill(pthread_self(), 77), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0x3ffffff, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, -1, gettid(), 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, getppid(), gettid(), 0), ESRCH);
	CHECK_OK(syscall(SYS_tkill, gettid(), 0));
	CHECK_ERRNO(syscall(SYS_tkill, 0, 0), EINVAL);
	return check_done();
}
