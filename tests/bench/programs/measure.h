/* What measuring programs have in common: `PROGRAM NAME COUNT …` prints the wall time of one NAME in nanoseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct measure {
	const char *name;
	void (*run)(long count);
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Runs the measure of this name, a tenth of the count first, which does not count. */
static int measure(const struct measure *all, size_t measures, const char *name, long count)
{
	for (size_t i = 0; i < measures; i++) {
		struct timespec from, to;
		if (strcmp(name, all[i].name) != 0)
			continue;
		if (count == 0)
			return 0;
		all[i].run(count / 10 + 1);
		clock_gettime(CLOCK_MONOTONIC, &from);
		all[i].run(count);
		clock_gettime(CLOCK_MONOTONIC, &to);
		double ns = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);
		printf("%.1f\n", ns / count);
		return 0;
	}
	return 2;
}
