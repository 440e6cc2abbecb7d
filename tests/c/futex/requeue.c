/* FUTEX_REQUEUE, FUTEX_CMP_REQUEUE: some are woken, the others wait elsewhere from then on. */
#include "futex.h"

static word from, to, woken, waiting;

static void *waits(void *argument)
{
	(void)argument;
	waiting++;
	while (futex(&from, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) < 0 && errno == EINTR)
		;
	woken++;
	futex(&woken, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return NULL;
}

static void until_woken(uint32_t count)
{
	uint32_t now;
	while ((now = woken) < count)
		futex(&woken, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
	CHECK_EQ(woken, count);
}

int main(void)
{
	for (int compare = 0; compare < 2; compare++) {
		int operation = compare ? FUTEX_CMP_REQUEUE_PRIVATE : FUTEX_REQUEUE_PRIVATE;
		pthread_t threads[8];
		woken = waiting = 0;
		for (int i = 0; i < 8; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, waits, NULL), 0);
		/* Woken and moved together are counted: go on until all 8 have been in the queue. */
		long moved = 0, got;
		while (moved < 8) {
			got = futex2(&from, operation, moved < 2 ? (uint32_t)(2 - moved) : 0, 100, &to, 0);
			CHECK_OK(got);
			moved += got;
			usleep(100);
		}
		CHECK_EQ(moved, 8);
		until_woken(2);
		CHECK_EQ(futex(&from, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 0);
		CHECK_EQ(futex(&to, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
		until_woken(3);
		/* Back again, onto themselves, and away. */
		CHECK_EQ(futex2(&to, operation, 0, 2, &from, 0), 2);
		CHECK_EQ(futex2(&to, operation, 0, 100, &to, 0), 3);
		CHECK_EQ(futex(&from, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 2);
		CHECK_EQ(futex(&to, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 3);
		for (int i = 0; i < 8; i++)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
	}
	return check_done();
}
