/* A thread that runs over its stack meets the guard: SIGSEGV, and nothing of its neighbour's stack is touched.
 *
 * @status 139
 * @opt -O0 -O2
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_barrier_t barrier;

static volatile int more = 1;

static int deeper(int n)
{
	volatile char space[2000];
	memset((char *)space, n, sizeof space);
	if (!more)
		return n;
	return deeper(n + 1) + space[n % 2000];
}

static void *overflows(void *argument)
{
	pthread_barrier_wait(&barrier);
	return (void *)(long)(deeper(1) + (argument != NULL));
}

static void *sits(void *argument)
{
	pthread_barrier_wait(&barrier);
	pause();
	return argument;
}

int main(void)
{
	pthread_t threads[3];
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 128 * 1024);
	pthread_barrier_init(&barrier, NULL, 3);
	puts("before");
	fflush(stdout);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], &attributes, i == 1 ? overflows : sits, NULL);
	pthread_join(threads[1], NULL);
	puts("after");
	return 0;
}
