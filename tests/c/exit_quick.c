/* quick_exit runs its own list backwards and flushes nothing.
 *
 * @status 9
 */
#include <stdio.h>
#include <stdlib.h>

static void a(void) { puts("quick a"); fflush(stdout); }
static void b(void) { puts("quick b"); }
static void never(void) { puts("never"); }

int main(void)
{
	at_quick_exit(a);
	at_quick_exit(b);
	atexit(never);
	quick_exit(9);
}
