/* si_addr of SIGFPE and SIGILL is where the instruction is: another one for each place, the same one each time. */
#include <setjmp.h>
#include "process.h"

static sigjmp_buf back;
static siginfo_t seen;
static volatile int zero, sink;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)context;
	seen = *info;
	siglongjmp(back, signo);
}

static __attribute__((noinline)) void divide(int by)
{
	sink = 100 / by;
}

static __attribute__((noinline)) void rest(int by)
{
	sink = 100 % by + 1;
}

static __attribute__((noinline)) void trap(int by)
{
	sink = by;
	__builtin_trap();
}

static void *place_of(void (*function)(int), int signo)
{
	seen.si_addr = NULL;
	int got = sigsetjmp(back, 1);
	if (got == 0)
		function(zero);
	CHECK_EQ(got, signo);
	CHECK_EQ(seen.si_signo, signo);
	CHECK(seen.si_addr != NULL);
	return seen.si_addr;
}

int main(void)
{
	CHECK_OK(handle_info(SIGFPE, on_fault, 0));
	CHECK_OK(handle_info(SIGILL, on_fault, 0));
	void *first = place_of(divide, SIGFPE), *second = place_of(rest, SIGFPE), *third = place_of(trap, SIGILL);
	CHECK(first != second && second != third && first != third);
	CHECK(place_of(divide, SIGFPE) == first);
	CHECK(place_of(trap, SIGILL) == third);
	return check_done();
}
