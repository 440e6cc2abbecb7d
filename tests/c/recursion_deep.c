/* A hundred thousand small frames fit into the stack. */
#include <stdio.h>

static volatile unsigned sink;

__attribute__((noinline)) static unsigned depth(unsigned n)
{
	if (n == 0)
		return 0;
	sink = n;
	return depth(n - 1) + (sink & 1) + 1;
}

int main(void)
{
	printf("%u\n", depth(100000));
	return 0;
}
