/* Callbacks: quicksort of a million numbers through a comparison function. */
#include "kernel.h"

enum { COUNT = 1000000, ROUNDS = 3 };

typedef int compare_function(const void *, const void *);

static uint32_t numbers[COUNT];

OUTLINE static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

OUTLINE static int by_low_half(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a & 0xffff, y = *(const uint32_t *)b & 0xffff;
	if (x == 0x10000)
		return unlikely_fork();
	return x < y ? -1 : x > y;
}

static compare_function *const orders[] = { by_value, by_low_half };
static volatile int order;

OUTLINE static void sort(uint32_t *list, int low, int high, compare_function *compare)
{
	while (low < high) {
		uint32_t pivot = list[low + (high - low) / 2];
		int i = low, j = high;
		while (i <= j) {
			while (compare(&list[i], &pivot) < 0)
				i++;
			while (compare(&list[j], &pivot) > 0)
				j--;
			if (i <= j) {
				uint32_t swap = list[i];
				list[i++] = list[j];
				list[j--] = swap;
			}
		}
		if (j - low < high - i) {
			sort(list, low, j, compare);
			low = i;
		} else {
			sort(list, i, high, compare);
			high = j;
		}
	}
}

static uint32_t kernel(void)
{
	uint32_t check = 0;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t state = 12345 + round;
		for (int i = 0; i < COUNT; i++)
			numbers[i] = (state = state * 1664525u + 1013904223u) >> 1;
		sort(numbers, 0, COUNT - 1, orders[order & 1]);
		for (int i = 0; i < COUNT; i += 1000)
			check = check * 31 + numbers[i];
	}
	return check;
}
