/* malloc and its relatives under stress; contents survive, alignment holds, impossible sizes fail.
 *
 * @opt -O0 -O2
 * @cflags -fno-builtin
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include "check.h"

static uint32_t state = 12345;
static uint32_t next(void) { return state = state * 1664525u + 1013904223u; }

static void stress(void)
{
	enum { SLOTS = 500 };
	static unsigned char *slot[SLOTS];
	static size_t size[SLOTS];
	int wrong = 0;
	for (int step = 0; step < 60000; step++) {
		int i = (int)(next() >> 8) % SLOTS;
		size_t want = (next() >> 8) % (step % 50 ? 2000 : 300000);
		if (slot[i] && size[i] && slot[i][0] != (unsigned char)i)
			wrong++;
		if (slot[i] && size[i] && slot[i][size[i] - 1] != (unsigned char)(i + 1))
			wrong++;
		if (step % 3 == 0) {
			free(slot[i]);
			slot[i] = malloc(want);
		} else {
			slot[i] = realloc(slot[i], want ? want : 1);
			want = want ? want : 1;
		}
		size[i] = want;
		if (want) {
			slot[i][0] = (unsigned char)i;
			slot[i][want - 1] = (unsigned char)(i + 1);
		}
		if (want == 1)
			slot[i][0] = (unsigned char)i, size[i] = 0;
	}
	for (int i = 0; i < SLOTS; i++)
		free(slot[i]);
	CHECK_EQ(wrong, 0);
}

int main(void)
{
	stress();
	unsigned char *zero = calloc(1000, 1000);
	unsigned sum = 0;
	for (int i = 0; i < 1000000; i++)
		sum |= zero[i];
	CHECK_EQ(sum, 0);
	memset(zero, 0xff, 1000000);
	free(zero);
	zero = calloc(1, 100000);
	for (int i = 0; i < 100000; i++)
		sum |= zero[i];
	CHECK_EQ(sum, 0);
	free(zero);

	for (size_t align = 8; align <= 65536; align *= 2) {
		void *p = NULL;
		CHECK_EQ(posix_memalign(&p, align, 100), 0);
		CHECK((uintptr_t)p % align == 0);
		free(p);
		p = aligned_alloc(align, align * 2);
		CHECK((uintptr_t)p % align == 0);
		free(p);
	}
	void *p = NULL;
	CHECK_EQ(posix_memalign(&p, 3, 100), EINVAL);
	errno = 0;
	volatile size_t huge = SIZE_MAX / 2 + 1;
	CHECK((p = malloc(huge)) == NULL && errno == ENOMEM);
	CHECK((p = calloc(huge, 4)) == NULL && errno == ENOMEM);
	CHECK((p = reallocarray(NULL, huge, 4)) == NULL && errno == ENOMEM);
	/* A big block, then a bigger one: grows by mapping and keeps its contents. */
	char *big = malloc(64 << 20);
	memset(big, 'b', 64 << 20);
	big = realloc(big, 200 << 20);
	CHECK(big && big[0] == 'b' && big[(64 << 20) - 1] == 'b');
	big[(200 << 20) - 1] = 'e';
	big = realloc(big, 1000);
	CHECK(big[999] == 'b');
	CHECK(malloc_usable_size(big) >= 1000);
	free(big);
	free(NULL);
	CHECK_EQ(malloc_trim(0) >= 0, 1);

	/* The break moves both ways; new memory is zero. */
	char *start = sbrk(0);
	CHECK(sbrk(100000) == start);
	CHECK(start[0] == 0 && start[99999] == 0);
	memset(start, 1, 100000);
	CHECK_OK(brk(start + 10));
	CHECK(sbrk(0) == start + 10);
	CHECK(sbrk(200000) == start + 10);
	CHECK(start[9] == 1 && start[100000] == 0 && start[150000] == 0);
	CHECK_OK(brk(start));
	return check_done();
}
