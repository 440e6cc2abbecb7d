/* Millions of setjmps, with and without jumps, in one frame, in loops and in recursion: memory stays as it is.
 *
 * @args 10000000
 */
#include <setjmp.h>
#include <sys/resource.h>
#include "process.h"

static jmp_buf points[100];
static volatile int sum;

static int __attribute__((noinline)) once(jmp_buf point)
{
	if (setjmp(point))
		return 1;
	sum = sum + 1;
	return 0;
}

static void __attribute__((noinline)) below(int depth, jmp_buf target)
{
	volatile int keep = depth;
	if (depth == 0)
		longjmp(target, 3);
	below(depth - 1, target);
	sum = keep;
}

static long peak(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 10000000;
	long before = 0;
	for (int i = 0; i < rounds; i++) {
		once(points[i % 100]);
		if (i == rounds / 10)
			before = peak();
	}
	CHECK_EQ(sum, rounds);
	/* Jumps over 5 frames. */
	for (volatile int i = 0; i < rounds / 20; i++) {
		int value = setjmp(points[0]);
		if (value == 0)
			below(5, points[0]);
		if (value != 3)
			CHECK_EQ(value, 3);
	}
	CHECK(peak() - before < 20000);
	return check_done();
}
