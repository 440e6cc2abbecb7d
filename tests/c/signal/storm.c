/* Thousands of signals from processes and threads at once, into calls, loops, forks and memory copies: all are handled, none breaks anything. */
#include <pthread.h>
#include <stdatomic.h>
#include "process.h"

static atomic_int calls;
static atomic_int stop;

static void on_signal(int signo)
{
	(void)signo;
	atomic_fetch_add(&calls, 1);
}

static void *works(void *argument)
{
	static __thread char a[30000], b[30000];
	long kind = (long)argument, bad = 0;
	unsigned seed = 1;
	for (int turn = 1; !stop; turn++) {
		switch (kind) {
		case 0:
			memset(a, turn, sizeof a);
			memcpy(b, a, sizeof a);
			bad += b[0] != (char)turn || b[29999] != (char)turn;
			break;
		case 1:
			for (int i = 0; i < 5000; i++)
				seed = seed * 1103515245 + 12345;
			break;
		case 2: {
			char *block = malloc((size_t)turn % 5000 + 1);
			*block = 1;
			free(block);
			break;
		}
		case 3:
			getppid();
			break;
		}
	}
	return (void *)(bad + (seed == 0));
}

int main(void)
{
	pthread_t threads[4];
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	CHECK_OK(sigaction(SIGRTMIN, &action, NULL));
	for (long i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, works, (void *)i), 0);
	pid_t self = getpid(), pids[3];
	for (int i = 0; i < 3; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			int sent = 0;
			for (int k = 0; k < 1000; k++)
				sent += (k % 2 ? kill(self, SIGUSR1) : sigqueue(self, SIGRTMIN, (union sigval){ 0 })) == 0;
			_exit(sent != 1000);
		}
	}
	for (int i = 0; i < 500; i++)
		for (int t = 0; t < 4; t++)
			CHECK_EQ(pthread_kill(threads[t], SIGUSR1), 0);
	for (int i = 0; i < 20; i++) {
		pid_t pid = start();
		if (pid == 0)
			_exit(i);
		CHECK_EQ(ended(pid), i);
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ended(pids[i]), 0);
	stop = 1;
	for (int i = 0; i < 4; i++) {
		void *bad;
		CHECK_EQ(pthread_join(threads[i], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
	/* The real-time ones are all counted, the others at least once and at most as often as they were sent. */
	CHECK(calls > 1500 && calls <= 3 * 1000 + 2000);
	return check_done();
}
