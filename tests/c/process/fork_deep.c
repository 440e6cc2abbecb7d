/* fork at depth 200 below callbacks of qsort, bsearch and own function pointers: every value that was live in some frame is
 * there in both processes, and both return through all frames.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 * @libs -lm
 */
#include <math.h>
#include "process.h"

enum { DEPTH = 200 };

struct mixed {
	char tag;
	double value;
	short small[3];
	float single;
	long long wide;
};

static pid_t forked = -1;
static int order[4];

static double down(int depth, double x, long long n, struct mixed m);

/* Where the innermost frames fork. */
static int compare(const void *a, const void *b)
{
	double before = sqrt(2.0 * order[0] + 3.0);
	if (forked < 0)
		forked = start();
	double after = sqrt(2.0 * order[0] + 3.0);
	return before != after ? 0 : *(const int *)a - *(const int *)b;
}

struct search {
	int depth;
	double x, result;
	long long n;
	struct mixed m;
};

static int searched(const void *key, const void *element)
{
	struct search *s = *(struct search *const *)key;
	int at = *(const int *)element;
	if (at == 2)
		s->result = down(s->depth + 1, s->x, s->n, s->m);
	return 2 - at;
}

static double through_bsearch(int depth, double x, long long n, struct mixed m)
{
	static const int numbers[] = { 0, 1, 2, 3, 4 };
	struct search s = { depth, x, 0, n, m }, *key = &s;
	const int *found = bsearch(&key, numbers, 5, sizeof *numbers, searched);
	return s.result + (found == numbers + 2 ? 0 : 1e9);
}

static double through_array(int depth, double x, long long n, struct mixed m)
{
	int length = depth % 17 + 3;
	long long row[length];
	for (int i = 0; i < length; i++)
		row[i] = n * i - depth;
	double inner = down(depth + 1, x, n, m);
	for (int i = 0; i < length; i++)
		inner += row[i] == n * i - depth ? 0 : 1e9;
	return inner;
}

static double straight(int depth, double x, long long n, struct mixed m)
{
	return down(depth + 1, x, n, m) + m.single;
}

static double (*volatile const ways[])(int, double, long long, struct mixed) = { through_array, through_bsearch, straight };

static double down(int depth, double x, long long n, struct mixed m)
{
	double a = x * 1.5, b = x - depth, c = a / (depth + 1);
	float f = (float)(x + depth);
	long long p = n * 3 + depth, q = n ^ p;
	unsigned char byte = (unsigned char)(depth * 7);
	struct mixed copy = m;
	copy.wide += depth;
	copy.value *= 1.0009765625;
	double inner;
	if (depth >= DEPTH) {
		int values[] = { 9, 3, 7, 1 };
		qsort(values, 4, sizeof *values, compare);
		memcpy(order, values, sizeof order);
		inner = 0;
	} else {
		inner = ways[depth % 3](depth, b * 0.5 + 1, p, copy);
	}
	/* All of them are used after the call, so all of them live across it. */
	inner += a * 0.25 + b - c + (double)f * 0.125 + (double)(p % 1000) + (double)(q & 1023) + byte;
	return fmod(inner, 1048576.0) + copy.value * 0.001 + (double)(copy.wide % 7) + copy.tag + copy.small[depth % 3] + (double)copy.single;
}

int main(void)
{
	struct mixed m = { 'm', 3.25, { 1, -2, 3 }, 0.5f, 0x123456789abcLL };
	/* The same once without a fork. */
	forked = 0;
	double expected = down(0, 0.75, 0x1122334455LL, m);
	forked = -1;
	double result = down(0, 0.75, 0x1122334455LL, m);
	CHECK(result == expected);
	CHECK_EQ(order[0] * 1000 + order[1] * 100 + order[2] * 10 + order[3], 1379);
	if (forked == 0)
		finish();
	CHECK_EQ(ended(forked), 0);
	/* Once more in a child that came out of such a fork. */
	forked = -1;
	result = down(0, 0.75, 0x1122334455LL, m);
	CHECK(result == expected);
	if (forked == 0) {
		forked = -1;
		CHECK(down(0, 0.75, 0x1122334455LL, m) == expected);
		if (forked == 0)
			finish();
		CHECK_EQ(ended(forked), 0);
		finish();
	}
	CHECK_EQ(ended(forked), 0);
	return check_done();
}
