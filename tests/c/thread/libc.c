/* The C library under many threads: malloc, stdio, qsort, random numbers, locales, time. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "check.h"

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void *thread(void *argument)
{
	int self = (int)(long)argument, bad = 0;
	unsigned seed = (unsigned)self;
	char *blocks[64] = { 0 };
	int sizes[64] = { 0 };
	for (int i = 0; i < 3000; i++) {
		int at = rand_r(&seed) % 64, size = rand_r(&seed) % 3000 + 1;
		if (blocks[at]) {
			bad += blocks[at][0] != (char)self || blocks[at][sizes[at] - 1] != (char)self;
			if (i % 3 == 0) {
				free(blocks[at]);
				blocks[at] = NULL;
				continue;
			}
		}
		blocks[at] = realloc(blocks[at], (size_t)size);
		memset(blocks[at], self, (size_t)size);
		sizes[at] = size;
	}
	for (int i = 0; i < 64; i++)
		free(blocks[i]);
	int numbers[500];
	for (int i = 0; i < 500; i++)
		numbers[i] = rand_r(&seed);
	qsort(numbers, 500, sizeof *numbers, compare);
	for (int i = 1; i < 500; i++)
		bad += numbers[i - 1] > numbers[i];
	for (int i = 0; i < 200; i++) {
		char line[100];
		struct tm tm;
		time_t when = 86400LL * 365 * self + i;
		snprintf(line, sizeof line, "%d %s %.3f", self, "text", self * 0.5);
		int read_self;
		double half;
		bad += sscanf(line, "%d text %lf", &read_self, &half) != 2 || read_self != self || half != self * 0.5;
		gmtime_r(&when, &tm);
		bad += tm.tm_year != 70 + self && tm.tm_year != 69 + self;
		/* Lines stay whole. */
		printf("0123456789 the same line from every thread\n");
	}
	return (void *)(long)bad;
}

int main(void)
{
	pthread_t threads[8];
	for (long i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, thread, (void *)(i + 1)), 0);
	for (int i = 0; i < 8; i++) {
		void *bad;
		CHECK_EQ(pthread_join(threads[i], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
	return check_done();
}
