/* What longjmp returns, which buffer counts, jumps from callbacks, through VLAs, from nested jumps, in threads.
 *
 * @opt -O0 -O1 -O2 -O3
 */
#include <pthread.h>
#include <setjmp.h>
#include "process.h"

static jmp_buf point, other;
static volatile int trail;

static int compare(const void *a, const void *b)
{
	if (*(const int *)a == 13 || *(const int *)b == 13)
		longjmp(point, 13);
	return *(const int *)a - *(const int *)b;
}

static void through_arrays(int depth)
{
	volatile char row[depth * 10 + 1];
	row[depth * 10] = (char)depth;
	if (depth == 0)
		longjmp(point, 1000);
	through_arrays(depth - 1);
	trail = row[depth * 10];
}

static void middle(void)
{
	if (setjmp(other) == 0)
		longjmp(other, 1);
	trail++;
	longjmp(point, 50 + trail);
}

static __thread jmp_buf own;

static void *thread(void *argument)
{
	volatile int rounds = 0;
	if (setjmp(own) < 1000 && rounds < 1000) {
		rounds++;
		longjmp(own, rounds);
	}
	return rounds == 1000 ? argument : NULL;
}

static double __attribute__((noinline)) floats(int n)
{
	volatile double a = 1.25, b = 2.5;
	volatile float f = 0.5f;
	volatile long long w = 1LL << 50;
	if (setjmp(point) == 0) {
		a *= n;
		w += n;
		f += 1;
		longjmp(point, 1);
	}
	return a + b + (double)f + (double)(w - (1LL << 50));
}

int main(void)
{
	volatile int value;
	static const int given[] = { 1, -1, 0, 7, 2147483647, -2147483647 - 1 };
	for (volatile int i = 0; i < 6; i++) {
		value = setjmp(point);
		if (value == 0)
			longjmp(point, given[i]);
		CHECK_EQ(value, given[i] ? given[i] : 1);
	}
	int numbers[] = { 4, 9, 13, 2, 8 };
	value = setjmp(point);
	if (value == 0)
		qsort(numbers, 5, sizeof *numbers, compare);
	CHECK_EQ(value, 13);
	for (volatile int i = 0; i < 50; i++) {
		value = setjmp(point);
		if (value == 0)
			through_arrays(i);
		CHECK_EQ(value, 1000);
	}
	trail = 0;
	for (volatile int i = 1; i <= 5; i++) {
		value = setjmp(point);
		if (value == 0)
			middle();
		CHECK_EQ(value, 50 + i);
	}
	CHECK(floats(3) == 1.25 * 3 + 2.5 + 1.5 + 3);
	pthread_t threads[4];
	void *result;
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, thread, &point), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK(result == &point);
	}
	/* A switch on setjmp, and a buffer that is copied. */
	jmp_buf copy;
	switch (setjmp(point)) {
	case 0:
		memcpy(&copy, &point, sizeof copy);
		longjmp(copy, 5);
	case 5:
		trail = 5;
		break;
	default:
		trail = 0;
	}
	CHECK_EQ(trail, 5);
	/* _setjmp and sigsetjmp with and without the mask. */
	sigjmp_buf masked;
	mask(SIG_BLOCK, SIGUSR1);
	value = sigsetjmp(masked, 1);
	if (value == 0) {
		mask(SIG_UNBLOCK, SIGUSR1);
		siglongjmp(masked, 3);
	}
	CHECK(is_blocked(SIGUSR1));
	value = sigsetjmp(masked, 0);
	if (value == 0) {
		mask(SIG_UNBLOCK, SIGUSR1);
		siglongjmp(masked, 3);
	}
	CHECK(!is_blocked(SIGUSR1));
	return check_done();
}
