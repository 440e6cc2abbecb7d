/* _exit ends at once: nothing is flushed, only the low eight bits of the status count.
 *
 * @status 3
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void never(void) { puts("never"); }

int main(void)
{
	atexit(never);
	puts("flushed");
	fflush(stdout);
	printf("lost");
	_exit(259);
}
