/* Crashes in the way that its argument names, some calls deep. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int zero;
static int *volatile nowhere;
static void (*volatile nobody)(void);

__attribute__((noinline)) static int recurse(int n)
{
	volatile char space[1000];
	space[n % 1000] = (char)n;
	return recurse(n + 1) + space[0];
}

__attribute__((noinline)) static void fail(const char *how)
{
	if (!strcmp(how, "null"))
		*nowhere = 1;
	if (!strcmp(how, "call"))
		nobody();
	if (!strcmp(how, "divide"))
		printf("%d\n", 100 / zero);
	if (!strcmp(how, "trap"))
		__builtin_trap();
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "recurse"))
		recurse(0);
}

__attribute__((noinline)) static void outer(const char *how)
{
	puts("before");
	fflush(stdout);
	fail(how);
	puts("after");
}

int main(int argc, char **argv)
{
	outer(argc > 1 ? argv[1] : "");
	return 0;
}
