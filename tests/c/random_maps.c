/* Random mappings, protections and moves within one region: page by page, what is there is as natively.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

enum { PAGE = 4096, PAGES = 48 };

static uint32_t state = 7;
static char *region;
static int through[2];

static uint32_t below(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

/* One letter a page: unmapped, inaccessible, or what it holds, capital when it can be written. */
static void show(int step)
{
	printf("%d ", step);
	for (int page = 0; page < PAGES; page++) {
		char *p = region + page * PAGE, held = 0;
		unsigned char resident;
		if (mincore(p, PAGE, &resident) < 0) {
			putchar('_');
		} else if (write(through[1], p, 1) != 1) {
			putchar('-');
		} else {
			if (read(through[0], &held, 1) != 1)
				abort();
			if (write(through[1], &held, 1) != 1)
				abort();
			int writable = read(through[0], p, 1) == 1;
			if (!writable && read(through[0], &held, 1) != 1)
				abort();
			putchar((writable ? 'A' : 'a') + held % 26);
		}
	}
	putchar('\n');
}

static const char *result(const void *p)
{
	return p == MAP_FAILED ? strerrorname_np(errno) : "ok";
}

static const char *status(int r)
{
	return r < 0 ? strerrorname_np(errno) : "ok";
}

int main(void)
{
	static const int protections[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE };
	region = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = open("file", O_RDWR | O_CREAT, 0644);
	for (int page = 0; page < PAGES; page++) {
		char letter = (char)(page % 26);
		if (pwrite(file, &letter, 1, page * PAGE) != 1)
			return 1;
	}
	if (region == MAP_FAILED || pipe2(through, O_NONBLOCK) < 0 || ftruncate(file, PAGES * PAGE) < 0)
		return 1;
	for (int step = 0; step < 1500; step++) {
		uint32_t first = below(PAGES), count = 1 + below(PAGES - first < 10 ? PAGES - first : 10);
		uint32_t to = below(PAGES), more = 1 + below(PAGES - to < 10 ? PAGES - to : 10);
		char *p = region + first * PAGE, *q = region + to * PAGE;
		size_t length = count * PAGE, longer = more * PAGE;
		int protection = protections[below(4)];
		switch (below(9)) {
		case 0: case 1:
			printf("anonymous %u+%u %d %s\n", first, count, protection,
			       result(mmap(p, length, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
			break;
		case 2:
			printf("private %u+%u %d %s\n", first, count, protection,
			       result(mmap(p, length, protection, MAP_PRIVATE | MAP_FIXED, file, to * PAGE)));
			break;
		case 3:
			printf("shared %u+%u %d %s\n", first, count, protection,
			       result(mmap(p, length, protection, MAP_SHARED | MAP_FIXED, file, to * PAGE)));
			break;
		case 4: printf("unmap %u+%u %s\n", first, count, status(munmap(p, length))); break;
		case 5: printf("protect %u+%u %d %s\n", first, count, protection, status(mprotect(p, length, protection))); break;
		case 6:
			/* One page: whether more are one mapping is the kernel's business. */
			printf("move %u to %u+%u %s\n", first, to, more,
			       result(mremap(p, PAGE, longer, MREMAP_MAYMOVE | MREMAP_FIXED, q)));
			break;
		case 7: printf("discard %u+%u %s\n", first, count, status(madvise(p, length, MADV_DONTNEED))); break;
		case 8: {
			/* Fill what can be written, by the kernel's hand. */
			char letters[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
			for (uint32_t i = 0; i < count; i++) {
				letters[0] = (char)below(26);
				if (write(through[1], letters, 1) != 1)
					return 1;
				if (read(through[0], p + i * PAGE, 1) != 1 && read(through[0], letters, 1) != 1)
					return 1;
			}
			printf("fill %u+%u\n", first, count);
			break;
		}
		}
		show(step);
	}
	return 0;
}
