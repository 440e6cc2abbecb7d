/* Runs one compute kernel: `PROGRAM REPETITIONS` prints, for each, the thread's CPU time in nanoseconds and the result.
 *
 * A kernel defines `uint32_t kernel(void)`. Its helpers are OUTLINE where inlining would dissolve what it measures. A
 * real program's hot functions can usually reach a system call, which is what Asyncify pays for: a kernel that stands
 * for such code mentions `unlikely_fork()` on a path that is never taken.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define OUTLINE __attribute__((noinline))

static uint32_t kernel(void);

OUTLINE static int unlikely_fork(void)
{
	return fork();
}

static long long thread_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	int repetitions = argc > 1 ? atoi(argv[1]) : 1;
	(void)unlikely_fork;
	for (int i = 0; i < repetitions; i++) {
		long long start = thread_ns();
		uint32_t result = kernel();
		printf("%lld %08x\n", thread_ns() - start, (unsigned)result);
	}
	return 0;
}

#endif
