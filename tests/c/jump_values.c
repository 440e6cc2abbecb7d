/* setjmp and longjmp: values, nesting, loops, saved state.
 *
 * @opt -O0 -O2 -Os
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include "check.h"

static jmp_buf outer, inner, shared;
static int depth_reached;

static void values(void)
{
	static const int given[] = { 1, 2, -1, 0, 1000000, -2147483647 - 1 };
	for (unsigned i = 0; i < sizeof given / sizeof *given; i++) {
		volatile int passes = 0;
		int got = setjmp(outer);
		if (passes++ == 0) {
			CHECK_EQ(got, 0);
			longjmp(outer, given[i]);
		}
		CHECK_EQ(got, given[i] ? given[i] : 1);
		CHECK_EQ(passes, 2);
	}
}

static int deep(int n)
{
	char space[128];
	memset(space, n, sizeof space);
	depth_reached = n;
	if (n == 500)
		longjmp(outer, 500);
	int result = deep(n + 1);
	return result + space[5];
}

static void from_depth(void)
{
	volatile double kept = 2.5;
	volatile long long wide = 1LL << 40;
	int got = setjmp(outer);
	if (got == 0) {
		kept *= 2;
		wide += 5;
		deep(0);
		CHECK(!"reached");
	}
	CHECK_EQ(got, 500);
	CHECK_EQ(depth_reached, 500);
	CHECK(kept == 5.0 && wide == (1LL << 40) + 5);
}

static int nested_level(int n)
{
	jmp_buf here;
	switch (setjmp(here)) {
	case 0:
		if (n > 0)
			return nested_level(n - 1) + 1;
		longjmp(here, 7);
	case 7:
		return 100;
	}
	return -1;
}

static void nested(void)
{
	volatile int trace = 0;
	if (setjmp(outer) == 0) {
		if (setjmp(inner) == 0) {
			trace = trace * 10 + 1;
			longjmp(inner, 1);
		}
		trace = trace * 10 + 2;
		longjmp(outer, 1);
	}
	trace = trace * 10 + 3;
	CHECK_EQ(trace, 123);
	CHECK_EQ(nested_level(50), 150);
}

static void many_times(void)
{
	volatile int count = 0;
	int got = setjmp(outer);
	if (count < 200000) {
		count++;
		longjmp(outer, count);
	}
	CHECK_EQ(got, 200000);
	/* The same buffer set again and again. */
	volatile long sum = 0;
	for (volatile int i = 0; i < 100000; i++)
		if (setjmp(shared) == 0)
			longjmp(shared, 3);
		else
			sum += 3;
	CHECK_EQ(sum, 300000);
}

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	if (x == 13 || y == 13)
		longjmp(outer, 13);
	return x < y ? -1 : x > y;
}

static void from_callback(void)
{
	int numbers[] = { 5, 13, 1, 9, 2 };
	volatile int caught = 0;
	for (volatile int i = 0; i < 100; i++)
		if (setjmp(outer) == 0)
			qsort(numbers, 5, sizeof *numbers, compare);
		else
			caught++;
	CHECK_EQ(caught, 100);
}

static void copied_buffer(void)
{
	jmp_buf copy;
	volatile int passes = 0;
	if (setjmp(outer) == 0) {
		memcpy(&copy, &outer, sizeof copy);
		passes++;
		longjmp(copy, 1);
	}
	passes++;
	CHECK_EQ(passes, 2);
}

static void masks(void)
{
	sigjmp_buf with, without;
	sigset_t set, now;
	volatile int passes = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_SETMASK, &set, NULL));
	int got = sigsetjmp(with, 1);
	CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
	if (got == 0) {
		sigaddset(&set, SIGUSR2);
		CHECK_OK(sigprocmask(SIG_SETMASK, &set, NULL));
		siglongjmp(with, 4);
	}
	CHECK_EQ(got, 4);
	got = sigsetjmp(without, 0);
	if (passes++ == 0) {
		CHECK_OK(sigprocmask(SIG_SETMASK, &set, NULL));
		siglongjmp(without, 5);
	}
	CHECK_EQ(got, 5);
	CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2));
	sigemptyset(&set);
	CHECK_OK(sigprocmask(SIG_SETMASK, &set, NULL));
	passes = 0;
	if (_setjmp(without) == 0) {
		passes++;
		_longjmp(without, 1);
	}
	CHECK_EQ(passes, 1);
}

int main(void)
{
	values();
	from_depth();
	nested();
	many_times();
	from_callback();
	copied_buffer();
	masks();
	return check_done();
}
