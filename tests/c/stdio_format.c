/* printf formats every kind of value as everywhere.
 *
 * @opt -O0 -O2
 */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include "check.h"

static int format(char *buffer, size_t size, const char *text, ...)
{
	va_list arguments;
	va_start(arguments, text);
	int length = vsnprintf(buffer, size, text, arguments);
	va_end(arguments);
	return length;
}

int main(void)
{
	char buffer[64];
	int stored = 0;

	printf("[%d] [%+d] [% d] [%5d] [%-5d] [%05d] [%.3d]\n", 42, 42, 42, 42, 42, 42, 42);
	printf("[%u] [%o] [%#o] [%x] [%#X]\n", 3000000000u, 8, 8, 255, 255);
	printf("[%hhd] [%hd] [%lld] [%llu] [%jd]\n", 300, 70000, LLONG_MIN, ULLONG_MAX, (intmax_t)-7);
	printf("[%" PRId64 "] [%" PRIx32 "] [%zu]\n", INT64_MAX, UINT32_MAX, (size_t)77);
	printf("[%c] [%3c] [%s] [%.2s] [%6s] [%-6s] [%%]\n", 'x', 'y', "text", "text", "abc", "abc");
	printf("[%s]\n", (const char *)NULL);
	printf("[%f] [%.0f] [%.10f] [%e] [%E] [%g] [%G]\n", 3.25, 2.5, 1.0 / 3, 12345.678, 1e-10, 0.0001, 1e20);
	printf("[%8.2f] [%-8.2f] [%+.1f] [%08.3f] [%#.0f]\n", 3.14159, 3.14159, 2.0, -3.14159, 3.0);
	printf("[%a] [%a] [%.2a]\n", 1.0, 0.1, 3.0);
	printf("[%f] [%F] [%f] [%e]\n", INFINITY, INFINITY, -INFINITY, (double)NAN);
	printf("[%.17g] [%.17g] [%g] [%g]\n", 0.1, 5e-324, 1.7976931348623157e308, -0.0);
	printf("[%*d] [%-*d] [%.*f] [%*s]\n", 6, 42, 6, 42, 2, 2.0 / 3, -5, "ab");
	printf("[%2$s %1$s] [%1$s]\n", "one", "two");
	printf("abc%n\n", &stored);
	CHECK_EQ(stored, 3);
	printf("[%Lf] [%.3Lg] [%Le]\n", 1.5L, 2.25L, 0.125L);
	printf("[%p]\n", NULL);
	errno = ENOENT;
	printf("[%m]\n");

	CHECK_EQ(snprintf(buffer, 4, "%s", "truncated"), 9);
	CHECK_STR(buffer, "tru");
	CHECK_EQ(snprintf(NULL, 0, "%d", 123456), 6);
	CHECK_EQ(format(buffer, sizeof buffer, "%d-%s", 7, "seven"), 7);
	CHECK_STR(buffer, "7-seven");
	char *made = NULL;
	CHECK_EQ(asprintf(&made, "%0100d", 5), 100);
	CHECK(made && strlen(made) == 100);
	free(made);
	return check_done();
}
