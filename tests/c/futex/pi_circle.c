/* Threads that would wait for each other's locks: EDEADLK for the one that closes the circle. */
#include "futex.h"

enum { COUNT = 3 };

static word locks[COUNT];
static word closed[COUNT];
static pthread_barrier_t held;

/* Holds one lock and waits for the next one's. The last of them closes a circle, when the others wait. */
static void *holds(void *argument)
{
	long place = (long)argument, next = (place + 1) % COUNT;
	CHECK_OK(futex(&locks[place], FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	pthread_barrier_wait(&held);
	if (place == COUNT - 1) {
		/* Each of the others has announced itself in the word of the lock that it waits for. */
		for (int i = 1; i < COUNT; i++)
			while (!(locks[i] & FUTEX_WAITERS))
				usleep(100);
		usleep(20000);
		CHECK_ERRNO(futex(&locks[next], FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
		CHECK_ERRNO(futex(&locks[next], FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
		CHECK_ERRNO(futex(&locks[place], FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
		closed[place] = 1;
	} else {
		CHECK_OK(futex(&locks[next], FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
		CHECK_EQ(locks[next] & FUTEX_TID_MASK, gettid());
		CHECK_OK(futex(&locks[next], FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	}
	CHECK_OK(futex(&locks[place], FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

/* Who gave up waits for nobody, and who got the lock is its owner. */
static void *gives_up(void *argument)
{
	(void)argument;
	CHECK_OK(futex(&locks[1], FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	struct timespec soon = in_ms(CLOCK_REALTIME, 5);
	CHECK_ERRNO(futex(&locks[0], FUTEX_LOCK_PI_PRIVATE, 0, &soon, NULL, 0), ETIMEDOUT);
	closed[0] = 2;
	while (!(locks[1] & FUTEX_WAITERS))
		usleep(100);
	CHECK_OK(futex(&locks[1], FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

int main(void)
{
	pthread_t threads[COUNT];
	pthread_barrier_init(&held, NULL, COUNT);
	for (long i = 0; i < COUNT; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, holds, (void *)i), 0);
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(closed[COUNT - 1], 1);
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(locks[i] & FUTEX_TID_MASK, 0);

	CHECK_OK(futex(&locks[0], FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(pthread_create(&threads[0], NULL, gives_up, NULL), 0);
	while (closed[0] != 2)
		usleep(100);
	CHECK_OK(futex(&locks[1], FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_OK(futex(&locks[1], FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_OK(futex(&locks[0], FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
	return check_done();
}
