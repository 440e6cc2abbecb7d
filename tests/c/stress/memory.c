/* Stress of memory: maps of all kinds, the heap, faults.
 * @in scratch
 */
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "stress.h"

#define PAGE 65536
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static void *map(size_t size)
{
	void *at = mmap(NULL, size, RW, ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static void maps(int worker)
{
	void *at[16];
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 16; i++) {
			at[i] = map((i + 1) * PAGE);
			CHECK_EQ(*(int *)at[i], 0);
			fill(at[i], (i + 1) * PAGE / 8, i + worker);
		}
		for (int i = 0; i < 16; i++) {
			CHECK(is_filled(at[i], (i + 1) * PAGE / 8, i + worker));
			CHECK_OK(munmap(at[i], (i + 1) * PAGE));
		}
	}
}

static void holes(int worker)
{
	for (int round = 0; round < 20; round++) {
		char *at = map(16 * PAGE);
		for (int i = 0; i < 16; i++)
			fill(at + i * PAGE, 512, i + worker);
		for (int i = 1; i < 16; i += 2)
			CHECK_OK(munmap(at + i * PAGE, PAGE));
		for (int i = 1; i < 16; i += 2)
			CHECK(mmap(at + i * PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at + i * PAGE);
		for (int i = 0; i < 16; i++)
			CHECK(i % 2 ? at[i * PAGE] == 0 : is_filled(at + i * PAGE, 512, i + worker));
		CHECK_OK(munmap(at, 16 * PAGE));
	}
}

static void remaps(int worker)
{
	for (int round = 0; round < 20; round++) {
		size_t size = PAGE;
		char *at = map(size);
		fill(at, PAGE, worker + round);
		for (; size < 32 * PAGE; size *= 2) {
			char *to = mremap(at, size, 2 * size, MREMAP_MAYMOVE);
			CHECK(to != MAP_FAILED);
			at = to;
			CHECK(is_filled(at, PAGE, worker + round));
			CHECK_EQ(at[2 * size - 1], 0);
		}
		CHECK(mremap(at, size, PAGE, 0) == at);
		CHECK(is_filled(at, PAGE, worker + round));
		CHECK_OK(munmap(at, PAGE));
	}
}

static void moves(int worker)
{
	char *area = map(8 * PAGE);
	for (int round = 0; round < 40; round++) {
		int from = round % 4, to = 4 + round % 4;
		fill(area + from * PAGE, PAGE, round + worker);
		CHECK(mremap(area + from * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + to * PAGE) == area + to * PAGE);
		CHECK(is_filled(area + to * PAGE, PAGE, round + worker));
		CHECK(mmap(area + from * PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0) == area + from * PAGE);
		CHECK_EQ(area[from * PAGE], 0);
	}
}

static void advice(int worker)
{
	char *at = map(8 * PAGE);
	for (int round = 0; round < 40; round++) {
		fill(at, 8 * PAGE, round + worker);
		CHECK_OK(madvise(at + 2 * PAGE, 3 * PAGE, MADV_DONTNEED));
		CHECK(is_filled(at, 2 * PAGE, round + worker));
		for (int i = 0; i < 3 * PAGE; i += 4096)
			CHECK_EQ(at[2 * PAGE + i], 0);
		CHECK_OK(madvise(at, 8 * PAGE, MADV_WILLNEED));
		CHECK_ERRNO(madvise(at, PAGE, 12345), EINVAL);
	}
}

static sigjmp_buf back;
static volatile int faults;

static void faulted(int signo)
{
	(void)signo;
	faults++;
	siglongjmp(back, 1);
}

static void protection(int worker)
{
	char *volatile at = map(4 * PAGE);
	handle(SIGSEGV, faulted, 0);
	(void)worker;
	for (volatile int round = 0; round < 30; round++) {
		faults = 0;
		CHECK_OK(mprotect(at + PAGE, PAGE, PROT_READ));
		if (sigsetjmp(back, 1) == 0)
			*(volatile char *)(at + PAGE) = 1;
		CHECK_OK(mprotect(at + PAGE, PAGE, PROT_NONE));
		if (sigsetjmp(back, 1) == 0)
			(void)*(volatile char *)(at + PAGE);
		CHECK_EQ(faults, 2);
		CHECK_OK(mprotect(at + PAGE, PAGE, RW));
		*(volatile char *)(at + PAGE) = 1;
		CHECK_EQ(faults, 2);
	}
}

static void break_pointer(int worker)
{
	for (int round = 0; round < 50; round++) {
		char *old = sbrk(0);
		CHECK(sbrk(4 * PAGE) == old);
		CHECK_EQ(old[4 * PAGE - 1], 0);
		fill(old, 4 * PAGE, worker + round);
		CHECK(is_filled(old, 4 * PAGE, worker + round));
		CHECK(sbrk(-4 * PAGE) == old + 4 * PAGE);
		CHECK(sbrk(0) == old);
	}
}

static void heap(int worker)
{
	static unsigned char *block[256];
	static size_t size[256];
	uint32_t state = worker + 1;
	for (int round = 0; round < 20000; round++) {
		int i = next_number(&state) % 256;
		if (block[i]) {
			CHECK(is_filled(block[i], size[i], i));
			if (next_number(&state) % 2) {
				free(block[i]);
				block[i] = NULL;
				continue;
			}
		}
		size_t wanted = 1 + next_number(&state) % (i % 32 ? 300 : 200000);
		block[i] = realloc(block[i], wanted);
		CHECK(block[i] != NULL);
		size[i] = wanted;
		fill(block[i], wanted, i);
	}
}

static void aligned(int worker)
{
	for (size_t alignment = 16; alignment <= 65536; alignment *= 2) {
		void *at[8];
		for (int i = 0; i < 8; i++) {
			CHECK_EQ(posix_memalign(&at[i], alignment, 100 + i), 0);
			CHECK_EQ((uintptr_t)at[i] % alignment, 0);
			fill(at[i], 100 + i, i + worker);
		}
		for (int i = 0; i < 8; i++) {
			CHECK(is_filled(at[i], 100 + i, i + worker));
			free(at[i]);
		}
	}
}

static void shared(int worker)
{
	(void)worker;
	int *counter = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int round = 0; round < 5; round++) {
		pid_t pids[4];
		*counter = 0;
		for (int i = 0; i < 4; i++)
			if ((pids[i] = start()) == 0) {
				for (int k = 0; k < 10000; k++)
					__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
				finish();
			}
		for (int i = 0; i < 4; i++)
			CHECK_EQ(ended(pids[i]), 0);
		CHECK_EQ(*counter, 40000);
	}
}

static void copy_on_write(int worker)
{
	char *at = map(16 * PAGE);
	for (int round = 0; round < 10; round++) {
		fill(at, 16 * PAGE, worker + round);
		pid_t pid = start();
		if (pid == 0) {
			CHECK(is_filled(at, 16 * PAGE, worker + round));
			fill(at, 16 * PAGE, 99);
			CHECK(is_filled(at, 16 * PAGE, 99));
			finish();
		}
		at[5 * PAGE] = 1;
		CHECK_EQ(ended(pid), 0);
		CHECK(is_filled(at, 5 * PAGE, worker + round));
		CHECK_EQ(at[5 * PAGE], 1);
	}
}

static void of_file(int worker)
{
	char name[32];
	snprintf(name, sizeof name, "map%d", worker);
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK_OK(ftruncate(fd, 4 * PAGE));
	for (int round = 0; round < 20; round++) {
		char *one = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
		char *two = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
		char *own = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
		static char read_back[PAGE];
		fill(one, 4 * PAGE, round);
		CHECK(memcmp(two, one + 2 * PAGE, PAGE) == 0);
		own[1] = one[1] + 1;
		CHECK(own[1] != one[1]);
		CHECK_OK(msync(one, 4 * PAGE, MS_SYNC));
		CHECK_EQ(pread(fd, read_back, PAGE, PAGE), PAGE);
		CHECK(memcmp(read_back, one + PAGE, PAGE) == 0);
		munmap(one, 4 * PAGE), munmap(two, PAGE), munmap(own, PAGE);
	}
	close(fd);
	CHECK_OK(unlink(name));
}

static void memory_files(int worker)
{
	for (int round = 0; round < 20; round++) {
		int fd = memfd_create("stress", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		CHECK_OK(ftruncate(fd, 2 * PAGE));
		char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
		fill(at, 2 * PAGE, worker);
		static char got[2 * PAGE];
		CHECK_EQ(pread(fd, got, sizeof got, 0), sizeof got);
		CHECK(is_filled(got, sizeof got, worker));
		CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
		munmap(at, 2 * PAGE);
		CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW));
		CHECK_ERRNO(write(fd, "x", 1), EPERM);
		CHECK_ERRNO(ftruncate(fd, 3 * PAGE), EPERM);
		close(fd);
	}
}

static void residency(int worker)
{
	unsigned char in_core[16];
	(void)worker;
	for (int round = 0; round < 50; round++) {
		long page = sysconf(_SC_PAGESIZE);
		char *at = map(16 * page);
		for (int i = 0; i < 16; i += 2)
			at[i * page] = 1;
		CHECK_OK(mincore(at, 16 * page, in_core));
		for (int i = 0; i < 16; i += 2)
			CHECK_EQ(in_core[i] & 1, 1);
		CHECK_OK(munmap(at, 16 * page));
		CHECK_ERRNO(mincore(at, 16 * page, in_core), ENOMEM);
	}
}

static void locked(int worker)
{
	(void)worker;
	for (int round = 0; round < 50; round++) {
		char *at = map(4096 * 4);
		CHECK_OK(mlock(at, 4096 * 4));
		at[4096] = 1;
		CHECK_OK(munlock(at, 4096 * 4));
		CHECK_OK(munmap(at, 4096 * 4));
	}
}

static int deep(int depth, int worker)
{
	volatile char frame[512];
	for (size_t i = 0; i < sizeof frame; i += 64)
		frame[i] = depth + worker;
	int below = depth ? deep(depth - 1, worker) : 0;
	for (size_t i = 0; i < sizeof frame; i += 64)
		if (frame[i] != (char)(depth + worker))
			return -1;
	return below < 0 ? below : below + 1;
}

static void stack(int worker)
{
	for (int round = 0; round < 50; round++)
		CHECK_EQ(deep(2000, worker), 2001);
}

static void copies(int worker)
{
	static unsigned char from[100000], to[100000];
	uint32_t state = worker + 5;
	fill(from, sizeof from, worker);
	for (int round = 0; round < 500; round++) {
		size_t a = next_number(&state) % 50000, b = next_number(&state) % 50000, n = next_number(&state) % 50000;
		memset(to, 0xee, sizeof to);
		memcpy(to + b, from + a, n);
		CHECK(memcmp(to + b, from + a, n) == 0);
		CHECK(to[b + n] == 0xee && (b == 0 || to[b - 1] == 0xee));
		memmove(to + a, to + b, n);
		CHECK(memcmp(to + a, from + a, n) == 0);
	}
}

static const struct stressor stressors[] = {
	{ "maps", maps },	      { "holes", holes },	  { "remaps", remaps },
	{ "moves", moves },	      { "advice", advice },	  { "protection", protection },
	{ "break", break_pointer },   { "heap", heap },		  { "aligned", aligned },
	{ "shared", shared },	      { "copy-on-write", copy_on_write }, { "of-file", of_file },
	{ "memory-files", memory_files }, { "residency", residency }, { "locked", locked },
	{ "stack", stack },	      { "copies", copies },
};

int main(void)
{
	return STRESS(stressors);
}
