/* A fault's handler that mends the cause and returns: the access is done again; one that does not faults for ever. */
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include "process.h"

static char *area;
static volatile int faults;

/* The pager: makes the page that was touched accessible. */
static void pager(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	faults++;
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)65535;
	if (page < (uintptr_t)area || page >= (uintptr_t)area + 16 * 65536)
		_exit(77);
	mprotect((void *)page, 65536, PROT_READ | PROT_WRITE);
}

static sigjmp_buf point;

static void thrice(int signo)
{
	(void)signo;
	if (++faults == 3)
		siglongjmp(point, 1);
}

static double __attribute__((noinline)) touch(double x, long long n)
{
	double sum = x;
	for (int i = 0; i < 16; i++) {
		area[i * 65536 + 5] += (char)i;
		sum += area[i * 65536 + 5] * x + (double)(n % (i + 1));
	}
	return sum;
}

int main(void)
{
	char *reserved = mmap(NULL, 18 * 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area = (char *)(((uintptr_t)reserved + 65535) & ~(uintptr_t)65535);
	CHECK_OK(handle_info(SIGSEGV, pager, 0));
	double first = touch(1.5, 1234567890123LL);
	CHECK_EQ(faults, 16);
	for (int i = 0; i < 16; i++)
		area[i * 65536 + 5] = 0;
	CHECK(touch(1.5, 1234567890123LL) == first);
	CHECK_EQ(faults, 16);
	CHECK_OK(mprotect(area, 16 * 65536, PROT_NONE));
	faults = 0;
	CHECK_OK(handle(SIGSEGV, thrice, 0));
	if (sigsetjmp(point, 1) == 0) {
		*(volatile char *)(area + 15 * 65536) = 1;
		CHECK(!"reached");
	}
	CHECK_EQ(faults, 3);
	return check_done();
}
