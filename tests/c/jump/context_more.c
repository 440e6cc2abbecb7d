/* Contexts with forks, jumps, threads and handlers: each process and thread has its own coroutines; 10,000 switches; many contexts.
 *
 * @opt -O0 -O2
 */
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>
#include "process.h"

enum { STACK = 64 * 1024, MANY = 100 };

static ucontext_t mains, one, contexts[MANY];
static char stack[STACK];
static volatile int turns;
static pid_t child;

static void forks(void)
{
	double live = 1.5 * turns;
	child = start();
	CHECK(live == 1.5 * turns);
	swapcontext(&one, &mains);
	turns += 100;
	CHECK(live == 1.5 * (turns - 100));
}

static void deep(int depth, jmp_buf target)
{
	volatile char space[100];
	space[depth % 100] = 1;
	if (depth == 0)
		longjmp(target, 7);
	deep(depth - 1, target);
	space[0] = 2;
}

static void jumps(void)
{
	/* A jump within the context. */
	jmp_buf point;
	volatile int seen = 0;
	int value = setjmp(point);
	if (value == 0)
		deep(20, point);
	seen = value;
	turns = seen;
	swapcontext(&one, &mains);
	turns = seen + 1;
}

static void set(ucontext_t *context, void *at, size_t size, void (*function)(void))
{
	CHECK_OK(getcontext(context));
	context->uc_stack.ss_sp = at;
	context->uc_stack.ss_size = size;
	context->uc_link = &mains;
	makecontext(context, function, 0);
}

static void counts(void)
{
	for (;;) {
		turns++;
		swapcontext(&one, &mains);
	}
}

static __thread ucontext_t own_main, own;
static __thread int own_turns;

static void own_counts(void)
{
	for (;;) {
		own_turns++;
		swapcontext(&own, &own_main);
	}
}

static void *thread(void *argument)
{
	char *at = malloc(STACK);
	(void)argument;
	CHECK_OK(getcontext(&own));
	own.uc_stack.ss_sp = at;
	own.uc_stack.ss_size = STACK;
	own.uc_link = NULL;
	makecontext(&own, own_counts, 0);
	for (int i = 0; i < 2000; i++)
		CHECK_OK(swapcontext(&own_main, &own));
	free(at);
	return (void *)(long)own_turns;
}

static int current;

static void member(void)
{
	for (int i = 0; i < 3; i++) {
		turns++;
		swapcontext(&contexts[current], &mains);
	}
}

int main(void)
{
	turns = 3;
	set(&one, stack, STACK, forks);
	CHECK_OK(swapcontext(&mains, &one));
	/* Both processes are back here, each with its own copy of the coroutine. */
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(turns, 103);
	if (child == 0)
		finish();
	CHECK_EQ(ended(child), 0);

	set(&one, stack, STACK, jumps);
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(turns, 7);
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(turns, 8);

	turns = 0;
	set(&one, stack, STACK, counts);
	for (int i = 0; i < 10000; i++)
		CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(turns, 10000);

	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, thread, NULL), 0);
	for (int i = 0; i < 4; i++) {
		void *result;
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, 2000);
	}

	turns = 0;
	for (int i = 0; i < MANY; i++)
		set(&contexts[i], malloc(STACK), STACK, member);
	for (int round = 0; round < 4; round++)
		for (current = 0; current < MANY; current++)
			CHECK_OK(swapcontext(&mains, &contexts[current]));
	CHECK_EQ(turns, 3 * MANY);
	return check_done();
}
