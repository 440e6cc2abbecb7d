/* Endless recursion ends by SIGSEGV; a depth that fits into 8 MiB does not.
 *
 * @opt -O0 -O2
 * @status 139
 */
#include <stdio.h>
#include <string.h>

static volatile int limit;

static int deeper(int n)
{
	volatile char space[1000];
	memset((char *)space, n, sizeof space);
	if (n == limit)
		return 0;
	return deeper(n + 1) + space[n % 1000];
}

int main(void)
{
	limit = 5000;
	deeper(1);
	puts("5 MB of stack work");
	fflush(stdout);
	limit = -1;
	return deeper(1);
}
