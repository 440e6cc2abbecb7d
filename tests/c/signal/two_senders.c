/* Two threads send a third one a signal each, one at a time: each is handled once, by its own handler, wherever it comes, be it at
 * the beginning or the end of the other's. Handlers on the thread's stack and on one of their own. */
#include <pthread.h>
#include <semaphore.h>
#include "process.h"

enum { ROUNDS = 20000 };

static const int signals[2] = { SIGUSR1, SIGUSR2 };
static sem_t handled[2];
static volatile int next[2], wrong;
static volatile int over;
static pthread_t worker, clock_;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t tick = PTHREAD_COND_INITIALIZER;

static void on_signal(int which, int signo, siginfo_t *info)
{
	if (signo != signals[which] || info->si_signo != signo || info->si_value.sival_int != next[which])
		wrong++;
	next[which]++;
	sem_post(&handled[which]);
}

static void on_first(int signo, siginfo_t *info, void *context)
{
	(void)context;
	on_signal(0, signo, info);
}

static void on_second(int signo, siginfo_t *info, void *context)
{
	(void)context;
	on_signal(1, signo, info);
}

static void *works(void *stack)
{
	stack_t own = { .ss_sp = stack, .ss_size = 64 * 1024 };
	CHECK_OK(sigaltstack(&own, NULL));
	mask(SIG_UNBLOCK, SIGUSR1);
	mask(SIG_UNBLOCK, SIGUSR2);
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	while (!over)
		CHECK_EQ(pthread_cond_wait(&tick, &mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	CHECK(!is_blocked(SIGUSR1));
	CHECK(!is_blocked(SIGUSR2));
	return NULL;
}

static void *ticks(void *unused)
{
	while (!over) {
		nanosleep(&(struct timespec){ 0, 700 }, NULL);
		CHECK_EQ(pthread_cond_signal(&tick), 0);
	}
	return unused;
}

static void *sends(void *argument)
{
	long which = (long)argument;
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(pthread_sigqueue(worker, signals[which], (union sigval){ .sival_int = i }), 0);
		CHECK_OK(sem_wait(&handled[which]));
	}
	return NULL;
}

int main(void)
{
	static char stack[64 * 1024];
	void (*const handlers[2])(int, siginfo_t *, void *) = { on_first, on_second };
	mask(SIG_BLOCK, SIGUSR1);
	mask(SIG_BLOCK, SIGUSR2);
	/* None, one, the other and both on the stack of their own. */
	for (int kinds = 0; kinds < 4; kinds++) {
		pthread_t senders[2];
		over = 0;
		for (long i = 0; i < 2; i++) {
			struct sigaction action = { .sa_sigaction = handlers[i], .sa_flags = SA_SIGINFO | (kinds >> i & 1 ? SA_ONSTACK : 0) };
			CHECK_OK(sigaction(signals[i], &action, NULL));
			CHECK_OK(sem_init(&handled[i], 0, 0));
			next[i] = 0;
		}
		CHECK_EQ(pthread_create(&worker, NULL, works, stack), 0);
		CHECK_EQ(pthread_create(&clock_, NULL, ticks, NULL), 0);
		for (long i = 0; i < 2; i++)
			CHECK_EQ(pthread_create(&senders[i], NULL, sends, (void *)i), 0);
		/* A signal that is lost stops its sender for good. */
		for (int seen = 0, turns = 0, all; (all = next[0] + next[1]) < 2 * ROUNDS; sleep_ms(20)) {
			turns = seen == all ? turns + 1 : 0;
			seen = all;
			if (turns > 1500) {
				CHECK(!"each signal is handled");
				_exit(check_done());
			}
		}
		for (int i = 0; i < 2; i++)
			CHECK_EQ(pthread_join(senders[i], NULL), 0);
		over = 1;
		CHECK_EQ(pthread_join(clock_, NULL), 0);
		CHECK_EQ(pthread_cond_signal(&tick), 0);
		CHECK_EQ(pthread_join(worker, NULL), 0);
		CHECK_EQ(next[0], ROUNDS);
		CHECK_EQ(next[1], ROUNDS);
		CHECK_EQ(wrong, 0);
	}
	return check_done();
}
