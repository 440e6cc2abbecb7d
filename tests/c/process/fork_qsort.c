/* fork in a qsort comparator, at every comparison: each child finishes the sort as well.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 */
#include "process.h"

enum { COUNT = 24 };

static int depth, children;

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	if (depth == 0) {
		pid_t pid = start();
		if (pid == 0) {
			depth = 1;
		} else {
			children++;
			CHECK_EQ(ended(pid), 0);
		}
	}
	return (x > y) - (x < y);
}

int main(void)
{
	int numbers[COUNT];
	for (int i = 0; i < COUNT; i++)
		numbers[i] = i * 17 % 41;
	qsort(numbers, COUNT, sizeof *numbers, compare);
	for (int i = 1; i < COUNT; i++)
		CHECK(numbers[i - 1] <= numbers[i]);
	if (depth == 1)
		finish();
	printf("%d comparisons forked\n", children);
	return check_done();
}
