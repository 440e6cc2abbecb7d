/* Many contexts: generators to their end, contexts that nobody resumes, 5,000 at once, deep stacks, copies.
 *
 * @opt -O2
 */
#include <string.h>
#include <ucontext.h>
#include "process.h"

enum { STACK = 16 * 1024, GENERATORS = 100000, ALIVE = 5000, DEEP = 4 * 1024 * 1024 };

static ucontext_t mains, one;
static char stack[STACK];
static long sum;

static void set(ucontext_t *context, void *at, size_t size, void (*function)(void), int argument)
{
	CHECK_OK(getcontext(context));
	context->uc_stack.ss_sp = at;
	context->uc_stack.ss_size = size;
	context->uc_link = &mains;
	makecontext(context, function, 1, argument);
}

static void generator(int number)
{
	for (int i = 0; i < 3; i++) {
		sum += number + i;
		swapcontext(&one, &mains);
	}
}

static ucontext_t *alive;
static int current;

static void member(int number)
{
	for (;;) {
		sum += number;
		swapcontext(&alive[number], &mains);
		CHECK_EQ(number, current);
	}
}

__attribute__((noinline)) static int deep(int depth)
{
	volatile char space[64];
	space[depth % 64] = 1;
	if (depth == 0) {
		swapcontext(&one, &mains);
		return 0;
	}
	return deep(depth - 1) + space[depth % 64];
}

static void dives(int depth)
{
	for (int i = 0; i < 3; i++)
		sum += deep(depth);
}

static void many_arguments(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l)
{
	sum = a + b + c + d + e + f + g + h + i + 10 * j + 100 * k + 1000 * l;
}

/* A loop with getcontext in a nested call, whose callers are alive. */
__attribute__((noinline)) static int again(volatile int *times, ucontext_t *here)
{
	int before = *times;
	if (getcontext(here) != 0)
		return -1;
	++*times;
	return before;
}

int main(void)
{
	long expect = 0;
	for (int i = 0; i < GENERATORS; i++) {
		set(&one, stack, STACK, (void (*)(void))generator, i);
		/* Each third is not resumed to its end. */
		for (int turn = i % 3 == 0 ? 2 : 0; turn < 4; turn++)
			CHECK_OK(swapcontext(&mains, &one));
		expect += i % 3 == 0 ? 2 * i + 1 : 3 * i + 3;
	}
	CHECK_EQ(sum, expect);

	/* Contexts on the heap and on the stack that nobody resumes. */
	for (int i = 0; i < GENERATORS; i++) {
		ucontext_t *lost = malloc(sizeof *lost + i % 1000);
		CHECK_OK(getcontext(lost));
		free(lost);
	}

	sum = 0;
	alive = calloc(ALIVE, sizeof *alive);
	for (int i = 0; i < ALIVE; i++)
		set(&alive[i], malloc(STACK), STACK, (void (*)(void))member, i);
	for (int round = 0; round < 5; round++)
		for (current = 0; current < ALIVE; current++)
			CHECK_OK(swapcontext(&mains, &alive[current]));
	CHECK_EQ(sum, 5L * ALIVE * (ALIVE - 1) / 2);
	pid_t pid = start();
	for (current = 0; current < ALIVE; current++)
		CHECK_OK(swapcontext(&mains, &alive[current]));
	CHECK_EQ(sum, 6L * ALIVE * (ALIVE - 1) / 2);
	if (pid == 0)
		finish();
	CHECK_EQ(ended(pid), 0);

	sum = 0;
	set(&one, malloc(DEEP), DEEP, (void (*)(void))dives, 10000);
	for (int i = 0; i < 4; i++)
		CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(sum, 30000);

	set(&one, stack, STACK, NULL, 0);
	makecontext(&one, (void (*)(void))many_arguments, 12, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4);
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(sum, 9 + 20 + 300 + 4000);

	/* A context that has not begun can be entered several times. */
	sum = 0;
	set(&one, stack, STACK, (void (*)(void))member, 0);
	ucontext_t copy = one;
	alive[0] = one;
	current = 0;
	for (int i = 0; i < 3; i++)
		CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(sum, 0);

	ucontext_t here;
	volatile int times = 0;
	int before = again(&times, &here);
	CHECK_EQ(before, 0);
	/* The caller of getcontext has returned; from here this goes back to main's own. */
	volatile int rounds = 0;
	CHECK_OK(getcontext(&copy));
	if (++rounds < 1000)
		setcontext(&copy);
	CHECK_EQ(rounds, 1000);
	return check_done();
}
