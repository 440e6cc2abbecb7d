/* __builtin_trap is SIGILL.
 *
 * @status 132
 */
#include <stdio.h>

int main(void)
{
	puts("before");
	fflush(stdout);
	__builtin_trap();
}
