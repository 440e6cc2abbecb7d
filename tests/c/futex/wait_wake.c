/* FUTEX_WAIT and FUTEX_WAKE between threads: counts, values that have changed, private or not. */
#include "futex.h"

static word gate_word, woken, private_flag;

static void *waits(void *argument)
{
	(void)argument;
	while (gate_word == 0)
		futex(&gate_word, FUTEX_WAIT | (int)private_flag, 0, NULL, NULL, 0);
	woken++;
	return NULL;
}

static word turn;

static void *ping(void *argument)
{
	uint32_t self = (uint32_t)(long)argument;
	for (int i = 0; i < 2000; i++) {
		uint32_t seen;
		while ((seen = turn) % 2 != self)
			futex(&turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
		turn++;
		futex(&turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[10];
	CHECK_EQ(futex(&gate_word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0), 0);
	CHECK_ERRNO(futex(&gate_word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	for (int flag = 0; flag <= FUTEX_PRIVATE_FLAG; flag += FUTEX_PRIVATE_FLAG) {
		gate_word = woken = 0;
		private_flag = (uint32_t)flag;
		for (int i = 0; i < 10; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, waits, NULL), 0);
		/* All wait: 3 and then the rest can be counted. */
		long total = 0;
		while (total < 3)
			total += futex(&gate_word, FUTEX_WAKE | flag, (uint32_t)(3 - total), NULL, NULL, 0);
		CHECK_EQ(total, 3);
		CHECK_EQ(woken, 0);
		gate_word = 1;
		CHECK(futex(&gate_word, FUTEX_WAKE | flag, INT_MAX, NULL, NULL, 0) <= 10);
		for (int i = 0; i < 10; i++)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
		CHECK_EQ(woken, 10);
	}
	for (long i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, ping, (void *)i), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(turn, 4000);
	return check_done();
}
