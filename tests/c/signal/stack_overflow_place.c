/* The address of a stack overflow is where a program looks for it that tells overflows from other faults: in the mapping
 * of the stack that /proc/self/maps shows, or below it and nearer to it than to the one before. With frames that are
 * small and with large ones.
 */
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include "process.h"

enum { SIZE = 128 * 1024 };

static sigjmp_buf point;
static uintptr_t address;
static volatile int more = 1;

static void on_overflow(int signo, siginfo_t *info, void *context)
{
	(void)context;
	address = (uintptr_t)info->si_addr;
	siglongjmp(point, signo);
}

static int deeper(int n)
{
	if (!more)
		return n;
	return deeper(n + 1) + more;
}

static int wider(int n)
{
	volatile char space[3000];
	memset((char *)space, n, sizeof space);
	if (!more)
		return n;
	return wider(n + 1) + space[n % 3000];
}

static int is_of_stack(uintptr_t variable)
{
	unsigned long start, end, before = 0;
	int answer = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && fscanf(maps, "%lx-%lx%*[^\n]", &start, &end) == 2) {
		if (variable >= start && variable < end)
			answer = address >= start ? address < end : start - address <= (start - before) / 2;
		before = end;
	}
	if (maps)
		fclose(maps);
	return answer;
}

int main(void)
{
	int variable;
	stack_t set = { 0 };
	set.ss_sp = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	set.ss_size = SIZE;
	CHECK_OK(sigaltstack(&set, NULL));
	CHECK_OK(handle_info(SIGSEGV, on_overflow, SA_ONSTACK));
	int (*const functions[])(int) = { deeper, wider };
	for (int i = 0; i < 2; i++) {
		address = 0;
		if (sigsetjmp(point, 1) == 0)
			functions[i](1);
		CHECK(address != 0);
		CHECK(is_of_stack((uintptr_t)&variable));
		/* Another fault is none of the stack. */
		address = 0;
		if (sigsetjmp(point, 1) == 0)
			*(volatile char *)8 = 1;
		CHECK(!is_of_stack((uintptr_t)&variable));
	}
	return check_done();
}
