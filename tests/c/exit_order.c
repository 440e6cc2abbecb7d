/* What runs at exit, in which order: constructors, atexit and on_exit backwards, destructors, buffers.
 *
 * @status 7
 */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor(200))) static void second(void) { puts("constructor 200"); }
__attribute__((constructor(101))) static void first(void) { puts("constructor 101"); }
__attribute__((destructor(101))) static void last(void) { puts("destructor 101"); }
__attribute__((destructor(200))) static void before(void) { puts("destructor 200"); }
static void a(void) { puts("atexit a"); }
static void late(void) { puts("registered while exiting"); }
static void b(void) { puts("atexit b"); atexit(late); }
static void c(int status, void *text) { printf("on_exit %d %s\n", status, (char *)text); }
static void quick(void) { puts("never: at_quick_exit"); }

int main(void)
{
	for (int i = 0; i < 40; i++)
		atexit(a);
	at_quick_exit(quick);
	on_exit(c, "argument");
	atexit(b);
	printf("main, unflushed");
	exit(7);
}
