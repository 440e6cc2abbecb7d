/* FUTEX_WAIT_BITSET and FUTEX_WAKE_BITSET: only those are woken who have a bit in common. */
#include "futex.h"

static word at, woken;

static void *waits(void *argument)
{
	futex(&at, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t)(uintptr_t)argument);
	woken |= (uint32_t)(uintptr_t)argument;
	return NULL;
}

int main(void)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, waits, (void *)(uintptr_t)(1u << i)), 0);
	/* A move onto itself counts who waits. */
	while (futex2(&at, FUTEX_REQUEUE_PRIVATE, 0, 9, &at, 0) < 4)
		usleep(100);
	CHECK_EQ(futex(&at, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, 0x100), 0);
	CHECK_EQ(futex(&at, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, 4), 1);
	CHECK_EQ(pthread_join(threads[2], NULL), 0);
	CHECK_EQ(woken, 4);
	CHECK_EQ(futex(&at, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 8 + 2), 1);
	CHECK_EQ(futex(&at, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, 8 + 2), 1);
	CHECK_EQ(pthread_join(threads[1], NULL), 0);
	CHECK_EQ(pthread_join(threads[3], NULL), 0);
	/* A plain wake-up reaches all. */
	CHECK_EQ(futex(&at, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 1);
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
	CHECK_EQ(woken, 15);
	return check_done();
}
