/* scanf and the number parsers read what they should and stop where they should.
 *
 * @stdin 12 -7 0x1f hello 3.5e2\nrest of line\n%tail 077\n
 */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include "check.h"

int main(void)
{
	int a = 0, b = 0, c = 0, n = 0;
	char word[16], line[64];
	double d = 0;

	CHECK_EQ(scanf("%d %d %i %15s %lf", &a, &b, &c, word, &d), 5);
	CHECK_EQ(a, 12);
	CHECK_EQ(b, -7);
	CHECK_EQ(c, 31);
	CHECK_STR(word, "hello");
	CHECK(d == 350.0);
	CHECK_EQ(getchar(), '\n');
	CHECK(fgets(line, sizeof line, stdin) != NULL);
	CHECK_STR(line, "rest of line\n");
	CHECK_EQ(scanf("%%tail %i", &a), 1);
	CHECK_EQ(a, 63);
	CHECK_EQ(scanf("%d", &a), EOF);
	CHECK(feof(stdin));

	CHECK_EQ(sscanf("abc123xyz", "%[a-c]%n%d%[^q]", word, &n, &a, line), 3);
	CHECK_STR(word, "abc");
	CHECK_EQ(n, 3);
	CHECK_EQ(a, 123);
	CHECK_STR(line, "xyz");
	CHECK_EQ(sscanf("10:20:30", "%2d:%2d:%*d", &a, &b), 2);
	CHECK_EQ(sscanf("nope", "%d", &a), 0);
	char *allocated = NULL;
	CHECK_EQ(sscanf("allocated text", "%ms", &allocated), 1);
	CHECK_STR(allocated, "allocated");
	free(allocated);

	char *end;
	CHECK_EQ(strtol("  -42z", &end, 10), -42);
	CHECK_STR(end, "z");
	CHECK_EQ(strtol("zz", NULL, 36), 35 * 36 + 35);
	CHECK_EQ(strtoll("9223372036854775807", NULL, 10), LLONG_MAX);
	errno = 0;
	CHECK_EQ(strtoll("9223372036854775808", NULL, 10), LLONG_MAX);
	CHECK_EQ(errno, ERANGE);
	errno = 0;
	CHECK(strtoull("18446744073709551615", NULL, 0) == ULLONG_MAX);
	CHECK_EQ(errno, 0);
	CHECK(strtod("0x1.8p1", NULL) == 3.0);
	CHECK(isinf(strtod("inf", NULL)));
	CHECK(isnan(strtod("nan", NULL)));
	errno = 0;
	CHECK(strtod("1e999", NULL) == HUGE_VAL);
	CHECK_EQ(errno, ERANGE);
	CHECK(strtof("0.1", NULL) == 0.1f);
	CHECK_EQ(atoi("123abc"), 123);
	return check_done();
}
