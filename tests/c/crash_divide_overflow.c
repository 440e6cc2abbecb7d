/* The most negative number divided by -1 is SIGFPE.
 *
 * @status 136
 */
#include <limits.h>
#include <stdio.h>

static volatile int lowest = INT_MIN, minus = -1;

int main(void)
{
	puts("before");
	fflush(stdout);
	printf("%d\n", lowest / minus);
	return 0;
}
