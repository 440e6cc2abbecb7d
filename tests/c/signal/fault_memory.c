/* Faults in memset and memcpy: their handler mends the cause, and they go on where they were.
 *
 */
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

int main(void)
{
	char *reserved = mmap(NULL, 18 * 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area = (char *)(((uintptr_t)reserved + 65535) & ~(uintptr_t)65535);
	CHECK_OK(handle_info(SIGSEGV, pager, 0));
	memset(area + 1000, 'x', 4 * 65536);
	CHECK_EQ(faults, 5);
	memcpy(area + 6 * 65536 - 100, area + 1000, 65536);
	CHECK_EQ(faults, 7);
	CHECK(area[6 * 65536] == 'x' && area[7 * 65536 - 101] == 'x' && area[7 * 65536 - 100] == 0);

	return check_done();
}
