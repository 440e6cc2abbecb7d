/* FUTEX_WAKE_OP: changes the second word, wakes at the first, and at the second if the old value compares so. */
#include "futex.h"

static word first, second;

static uint32_t after(uint32_t old, int operation, int argument)
{
	second = old;
	CHECK_EQ(futex2(&first, FUTEX_WAKE_OP_PRIVATE, 1, 1, &second, (uint32_t)FUTEX_OP(operation, argument, FUTEX_OP_CMP_EQ, 0)), 0);
	return second;
}

static void *waits(void *argument)
{
	futex(argument, FUTEX_WAIT_PRIVATE, 5, NULL, NULL, 0);
	return NULL;
}

/* How many of two waiters at the second word are woken. */
static long woken(int compare, int argument)
{
	pthread_t threads[3];
	long count = 0, got;
	first = second = 5;
	CHECK_EQ(pthread_create(&threads[0], NULL, waits, &first), 0);
	for (int i = 1; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, waits, &second), 0);
	/* A move onto itself counts who waits. */
	while (futex2(&first, FUTEX_REQUEUE_PRIVATE, 0, 9, &first, 0) < 1 || futex2(&second, FUTEX_REQUEUE_PRIVATE, 0, 9, &second, 0) < 2)
		usleep(100);
	got = futex2(&first, FUTEX_WAKE_OP_PRIVATE, 7, 7, &second, (uint32_t)FUTEX_OP(FUTEX_OP_SET, 5, compare, argument));
	count = got - 1;
	CHECK_EQ(futex(&second, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 2 - count);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	return count;
}

int main(void)
{
	CHECK_EQ(after(5, FUTEX_OP_SET, 9), 9);
	CHECK_EQ(after(5, FUTEX_OP_ADD, 9), 14);
	CHECK_EQ(after(5, FUTEX_OP_OR, 10), 15);
	CHECK_EQ(after(13, FUTEX_OP_ANDN, 4), 9);
	CHECK_EQ(after(12, FUTEX_OP_XOR, 5), 9);
	CHECK_EQ(after(1, FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 6), 65);
	CHECK_EQ(after(5, FUTEX_OP_ADD, 0xfff), 4);
	CHECK_EQ(woken(FUTEX_OP_CMP_EQ, 5), 2);
	CHECK_EQ(woken(FUTEX_OP_CMP_EQ, 6), 0);
	CHECK_EQ(woken(FUTEX_OP_CMP_NE, 6), 2);
	CHECK_EQ(woken(FUTEX_OP_CMP_LT, 5), 0);
	CHECK_EQ(woken(FUTEX_OP_CMP_LE, 5), 2);
	CHECK_EQ(woken(FUTEX_OP_CMP_GT, 0xfff), 2);
	CHECK_EQ(woken(FUTEX_OP_CMP_GE, 6), 0);
	return check_done();
}
