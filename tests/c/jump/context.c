/* getcontext, makecontext, swapcontext, setcontext: coroutines with arguments, uc_link, masks, nesting.
 *
 * @opt -O0 -O2
 */
#include <ucontext.h>
#include "process.h"

enum { STACK = 128 * 1024 };

static ucontext_t mains, one, two, after;
static char stacks[3][STACK];
static int values[100], count;
static int done_by_link;

static void generator(int from, int step, int number)
{
	double fraction = 0.5;
	long long wide = 1LL << 40;
	for (int i = 0; i < number; i++) {
		values[count++] = from + i * step;
		swapcontext(&one, &mains);
		fraction *= 2;
		wide += i;
	}
	CHECK(fraction == 0.5 * (1 << number));
	CHECK(wide == (1LL << 40) + number * (number - 1) / 2);
}

static void finished(void)
{
	done_by_link++;
	setcontext(&mains);
}

static void player(int self, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		values[count++] = self;
		if (self == 1)
			swapcontext(&one, &two);
		else
			swapcontext(&two, &one);
	}
}

static void eight(int a, int b, int c, int d, int e, int f, int g, int h)
{
	values[0] = a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g + 10000000 * h;
}

static void make(ucontext_t *context, int stack, ucontext_t *link)
{
	CHECK_OK(getcontext(context));
	context->uc_stack.ss_sp = stacks[stack];
	context->uc_stack.ss_size = STACK;
	context->uc_link = link;
}

static void changes_mask(void)
{
	CHECK(is_blocked(SIGUSR2) && !is_blocked(SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR2);
	swapcontext(&one, &mains);
	CHECK(!is_blocked(SIGUSR2));
}

int main(void)
{
	/* A generator, resumed from main; at its end uc_link goes on. */
	make(&after, 2, NULL);
	makecontext(&after, finished, 0);
	make(&one, 0, &after);
	makecontext(&one, (void (*)(void))generator, 3, 10, 5, 6);
	for (int i = 0; i <= 6; i++) {
		CHECK_OK(swapcontext(&mains, &one));
		CHECK_EQ(count, i < 6 ? i + 1 : 6);
	}
	CHECK_EQ(done_by_link, 1);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(values[i], 10 + 5 * i);

	/* Two that call each other; the first one's end returns to main. */
	count = 0;
	make(&one, 0, &mains);
	makecontext(&one, (void (*)(void))player, 2, 1, 10);
	make(&two, 1, &mains);
	makecontext(&two, (void (*)(void))player, 2, 2, 10);
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(count, 20);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(values[i], i % 2 + 1);

	make(&one, 0, &mains);
	makecontext(&one, (void (*)(void))eight, 8, 1, 2, 3, 4, 5, 6, 7, 8);
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(values[0], 87654321);

	/* The mask travels with the context. */
	mask(SIG_BLOCK, SIGUSR2);
	make(&one, 0, &mains);
	makecontext(&one, changes_mask, 0);
	CHECK_OK(swapcontext(&mains, &one));
	CHECK(is_blocked(SIGUSR2));
	CHECK_OK(swapcontext(&mains, &one));
	CHECK(is_blocked(SIGUSR2));

	/* getcontext returns again, as often as somebody comes back. */
	volatile int times = 0;
	CHECK_OK(getcontext(&two));
	if (++times < 5)
		setcontext(&two);
	CHECK_EQ(times, 5);
	return check_done();
}
