/* Calling a null function pointer is SIGSEGV.
 *
 * @status 139
 */
#include <stdio.h>

static void (*volatile nobody)(void);

int main(void)
{
	puts("before");
	fflush(stdout);
	nobody();
	puts("after");
	return 0;
}
