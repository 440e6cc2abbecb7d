/* FUTEX_LOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_UNLOCK_PI: owner and waiters in the word, dead owners, deadlocks. */
#include "futex.h"

static word lock;
static uint32_t self;

static void *locks(void *argument)
{
	word *tid = argument;
	*tid = (uint32_t)gettid();
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock & FUTEX_TID_MASK, *tid);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

static void *tries(void *argument)
{
	(void)argument;
	CHECK_ERRNO(futex(&lock, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
	struct timespec soon = in_ms(CLOCK_REALTIME, 5);
	CHECK_ERRNO(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, &soon, NULL, 0), ETIMEDOUT);
	CHECK_ERRNO(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
	return NULL;
}

int main(void)
{
	pthread_t threads[3];
	word tids[3] = { 0 };
	self = (uint32_t)gettid();
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock, self);
	CHECK_ERRNO(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_EQ(pthread_create(&threads[0], NULL, tries, NULL), 0);
	CHECK_EQ(pthread_join(threads[0], NULL), 0);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock, 0);
	CHECK_OK(futex(&lock, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock, self);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, locks, &tids[i]), 0);
	while (!(lock & FUTEX_WAITERS))
		usleep(100);
	CHECK_EQ(lock & FUTEX_TID_MASK, self);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	CHECK_EQ(lock & FUTEX_TID_MASK, 0);
	return check_done();
}
