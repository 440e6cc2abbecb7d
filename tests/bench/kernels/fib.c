/* Calls: the naive Fibonacci function. */
#include "kernel.h"

OUTLINE static uint32_t fibonacci(uint32_t n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint32_t kernel(void)
{
	return fibonacci(38);
}
