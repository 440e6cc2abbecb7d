/* Reading through a null pointer is SIGSEGV.
 *
 * @opt -O0 -O2
 * @status 139
 */
#include <stdio.h>

static int *volatile nowhere;

int main(void)
{
	puts("before");
	fflush(stdout);
	printf("%d\n", *nowhere);
	return 0;
}
