/* Threads map, unmap, protect and grow the heap at the same time, while others use their own memory. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

static atomic_int stop;

static void *maps(void *argument)
{
	long self = (long)argument, bad = 0;
	for (int i = 0; i < 300; i++) {
		size_t size = (size_t)(i % 7 + 1) * 8192;
		unsigned char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at == MAP_FAILED)
			return (void *)1000;
		bad += at[0] != 0 || at[size - 1] != 0;
		memset(at, (int)self, size);
		bad += mprotect(at, size / 2, PROT_READ) != 0;
		bad += at[0] != self || at[size / 2] != self;
		if (i % 2) {
			bad += mprotect(at, size / 2, PROT_READ | PROT_WRITE) != 0;
			at = mremap(at, size, size * 2, MREMAP_MAYMOVE);
			if (at == MAP_FAILED)
				return (void *)2000;
			size *= 2;
			bad += at[size - 1] != 0;
		}
		bad += at[0] != self;
		bad += munmap(at, size) != 0;
	}
	return (void *)bad;
}

static void *uses(void *argument)
{
	unsigned sum = 0;
	while (!stop) {
		char *block = malloc(200000);
		memset(block, 7, 200000);
		sum += (unsigned)block[199999];
		free(block);
	}
	return sum % 7 == 0 ? NULL : argument;
}

int main(void)
{
	pthread_t mappers[4], users[3];
	void *result;
	for (long i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&users[i], NULL, uses, &stop), 0);
	for (long i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&mappers[i], NULL, maps, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(mappers[i], &result), 0);
		CHECK_EQ((long)result, 0);
	}
	stop = 1;
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(pthread_join(users[i], &result), 0);
		CHECK(result == NULL);
	}
	return check_done();
}
