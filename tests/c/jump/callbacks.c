/* Function pointers called through another type, with forks, jumps and threads in them.
 *
 * @cflags -Wno-cast-function-type
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 */
#include <pthread.h>
#include <setjmp.h>
#include "process.h"

static jmp_buf point;
static volatile int seen;

static int none(void)
{
	return 11;
}

static void one(char *text)
{
	seen = text[0];
}

static int by_pointer(const int *a, const int *b)
{
	return *a - *b;
}

static void jumps(void)
{
	longjmp(point, 4);
}

static pid_t forks(void)
{
	return start();
}

static void returns_nothing(void)
{
	seen = 77;
}

typedef int (*with_two)(int, void *);

static void *(*volatile thread_function)(void *);

int main(void)
{
	/* More arguments than the function takes. */
	with_two volatile call = (with_two)(void *)none;
	CHECK_EQ(call(1, NULL), 11);
	void (*volatile three)(const char *, int, double) = (void (*)(const char *, int, double))(void *)one;
	three("x", 2, 3.0);
	CHECK_EQ(seen, 'x');
	int numbers[] = { 5, 2, 9, 1 };
	qsort(numbers, 4, sizeof *numbers, (int (*)(const void *, const void *))by_pointer);
	CHECK(numbers[0] == 1 && numbers[1] == 2 && numbers[2] == 5 && numbers[3] == 9);
	call = (with_two)(void *)jumps;
	int value = setjmp(point);
	if (value == 0)
		call(1, NULL);
	CHECK_EQ(value, 4);
	call = (with_two)(void *)forks;
	pid_t pid = call(5, NULL);
	if (pid == 0)
		finish();
	CHECK_EQ(ended(pid), 0);
	/* A thread whose function takes nothing and returns nothing. */
	pthread_t thread;
	thread_function = (void *(*)(void *))(void *)returns_nothing;
	CHECK_EQ(pthread_create(&thread, NULL, thread_function, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(seen, 77);
	/* A handler that takes nothing. */
	signal(SIGUSR1, (void (*)(int))(void *)returns_nothing);
	seen = 0;
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(seen, 77);
	return check_done();
}
