/* __thread variables: initial values, alignment, large ones, addresses of other threads' variables. */
#include <pthread.h>
#include <stdint.h>
#include "check.h"

static __thread int zero;
static __thread int five = 5;
static __thread double big[4000];
static __thread char text[] = "initial text";
static __thread struct {
	_Alignas(64) char bytes[64];
} aligned = { "aligned" };
__thread long long wide = 0x1122334455667788LL;
static pthread_barrier_t barrier;
static int *others[6];

static int sum(void)
{
	double sum = 0;
	for (int i = 0; i < 4000; i++)
		sum += big[i];
	return (int)sum;
}

static void *thread(void *argument)
{
	int self = (int)(long)argument;
	CHECK_EQ(zero, 0);
	CHECK_EQ(five, 5);
	CHECK_EQ(sum(), 0);
	CHECK_STR(text, "initial text");
	CHECK_STR(aligned.bytes, "aligned");
	CHECK_EQ((uintptr_t)&aligned % 64, 0);
	CHECK(wide == 0x1122334455667788LL);
	zero = self;
	for (int i = 0; i < 4000; i++)
		big[i] = self;
	text[0] = (char)('0' + self);
	wide += self;
	others[self] = &zero;
	pthread_barrier_wait(&barrier);
	/* Neighbours are visible, and their own. */
	for (int i = 0; i < 6; i++)
		CHECK_EQ(*others[i], i);
	pthread_barrier_wait(&barrier);
	CHECK_EQ(sum(), 4000 * self);
	CHECK_EQ(text[0], '0' + self);
	CHECK(wide == 0x1122334455667788LL + self);
	errno = self;
	pthread_barrier_wait(&barrier);
	CHECK_EQ(errno, self);
	return NULL;
}

int main(void)
{
	pthread_t threads[6];
	for (int round = 0; round < 5; round++) {
		CHECK_EQ(pthread_barrier_init(&barrier, NULL, 6), 0);
		for (long i = 0; i < 6; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, thread, (void *)i), 0);
		for (int i = 0; i < 6; i++)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
		CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
	}
	CHECK_EQ(zero, 0);
	return check_done();
}
