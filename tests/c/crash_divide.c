/* Integer division by zero is SIGFPE.
 *
 * @opt -O0 -O2
 * @status 136
 */
#include <stdio.h>

static volatile int zero, ten = 10;

int main(void)
{
	puts("before");
	fflush(stdout);
	printf("%d\n", ten / zero);
	return 0;
}
