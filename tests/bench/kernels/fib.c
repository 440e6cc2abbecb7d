/* Calls: the naive Fibonacci function. */
#include "kernel.h"

OUTLINE static int fibonacci(int n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint32_t kernel(void)
{
	return (uint32_t)fibonacci(38);
}
