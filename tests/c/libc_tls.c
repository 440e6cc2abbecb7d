/* Thread-local data with a large alignment.
 *
 * @opt -O0 -O2
 */
#include <stdint.h>
#include <stdlib.h>
#include "check.h"

static _Thread_local char first = 'f';
static _Thread_local _Alignas(256) char wide[300] = "wide";
static _Thread_local long double quad = 1.5L;
static _Thread_local char zero[100];

/* Not known to the compiler. */
static uintptr_t address(volatile void *p)
{
	return (uintptr_t)p;
}

int main(void)
{
	CHECK_EQ(address(wide) % 256, 0);
	CHECK_EQ(address(&quad) % _Alignof(long double), 0);
	CHECK(strcmp(wide, "wide") == 0 && first == 'f' && quad == 1.5L);
	for (unsigned i = 0; i < sizeof zero; i++)
		CHECK_EQ(zero[i], 0);
	memset(wide, 'x', sizeof wide);
	memset(zero, 'y', sizeof zero);
	errno = 0;
	CHECK(first == 'f' && quad == 1.5L && strtol("9999999999999999999", NULL, 10) && errno == ERANGE);
	return check_done();
}
