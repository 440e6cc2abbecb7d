/*
 * Loops that wait for a volatile flag and do nothing else: a signal handler or another thread sets it.
 * @opt -O0 -O2
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>
#include "../check.h"

static volatile sig_atomic_t flag;
static volatile int numbers[2];

static void set(int signo)
{
	(void)signo;
	flag = 1;
}

static void *set_later(void *place)
{
	usleep(20000);
	*(volatile int *)place = 1;
	return NULL;
}

static void by_handler(void)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 20000 } };

	flag = 0;
	CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
	while (!flag)
		;
	CHECK_EQ(flag, 1);
}

static void by_thread(void)
{
	pthread_t thread;

	numbers[0] = 0;
	CHECK_EQ(pthread_create(&thread, NULL, set_later, (void *)&numbers[0]), 0);
	for (unsigned rounds = 0; numbers[0] == 0; rounds++)
		if (numbers[1] != 0 && rounds > 5)
			break;
	CHECK_EQ(numbers[0], 1);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

int main(void)
{
	CHECK(signal(SIGALRM, set) != SIG_ERR);
	by_handler();
	by_thread();
	return check_done();
}
