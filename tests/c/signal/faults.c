/* Faults with a handler that jumps out: bad access, division, trap, illegal instruction; the information in siginfo.
 *
 * @opt -O0 -O2
 */
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include "process.h"

static sigjmp_buf point;
static siginfo_t seen;
static volatile int calls;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)context;
	memcpy(&seen, info, sizeof seen);
	calls++;
	siglongjmp(point, signo);
}

/* Runs a statement that faults; afterwards the signal is not blocked, as the jump restores the mask. */
#define FAULTS(statement, signo)                                \
	do {                                                    \
		int result = sigsetjmp(point, 1);               \
		if (result == 0) {                              \
			statement;                              \
			CHECK(!"fault: " #statement);           \
		} else {                                        \
			CHECK_EQ(result, signo);                \
			CHECK_EQ(seen.si_signo, signo);         \
			CHECK(!is_blocked(signo));              \
		}                                               \
	} while (0)

static volatile int zero, minus = -1, least = -2147483647 - 1, sink;
static volatile long long zero64;

static int __attribute__((noinline)) deep(int depth, volatile int *at)
{
	volatile int local = depth;
	if (depth == 0)
		*at = 1;
	else
		deep(depth - 1, at);
	return local;
}

int main(void)
{
	CHECK_OK(handle_info(SIGSEGV, on_fault, 0));
	CHECK_OK(handle_info(SIGFPE, on_fault, 0));
	CHECK_OK(handle_info(SIGILL, on_fault, 0));
	CHECK_OK(handle_info(SIGBUS, on_fault, 0));
	CHECK_OK(handle_info(SIGTRAP, on_fault, 0));
	for (int round = 0; round < 50; round++) {
		char *map = mmap(NULL, 3 * 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		FAULTS(*(volatile char *)map = 1, SIGSEGV);
		CHECK_EQ(seen.si_code, SEGV_ACCERR);
		CHECK(seen.si_addr == map);
		FAULTS(*(volatile char *)(map + 65537) = 1, SIGSEGV);
		CHECK_OK(munmap(map + 65536, 65536));
		FAULTS(sink = *(volatile char *)(map + 65536 + 77), SIGSEGV);
		CHECK_EQ(seen.si_code, SEGV_MAPERR);
		CHECK(seen.si_addr == map + 65536 + 77);
		CHECK_OK(mprotect(map, 65536, PROT_NONE));
		FAULTS(sink = *(volatile int *)(map + 4), SIGSEGV);
		CHECK_EQ(seen.si_code, SEGV_ACCERR);
		FAULTS(deep(50, (volatile int *)map), SIGSEGV);
		CHECK_OK(munmap(map, 3 * 65536));
		FAULTS(sink = *(volatile int *)(uintptr_t)8, SIGSEGV);
		CHECK(seen.si_addr == (void *)8);
		FAULTS(sink = minus / zero, SIGFPE);
		CHECK_EQ(seen.si_code, FPE_INTDIV);
		FAULTS(sink = minus % zero, SIGFPE);
		FAULTS(sink = least / minus, SIGFPE);
		FAULTS(sink = (int)(5000000000LL / zero64), SIGFPE);
		FAULTS(__builtin_trap(), SIGILL);
	}
	CHECK_EQ(calls, 50 * 11);

	/* A fault while its signal is blocked or ignored ends the process. */
	pid_t pid = start();
	if (pid == 0) {
		mask(SIG_BLOCK, SIGSEGV);
		sink = *(volatile int *)(uintptr_t)8;
		_exit(0);
	}
	CHECK_EQ(ended(pid), 128 + SIGSEGV);
	pid = start();
	if (pid == 0) {
		signal(SIGFPE, SIG_IGN);
		sink = minus / zero;
		_exit(0);
	}
	CHECK_EQ(ended(pid), 128 + SIGFPE);
	/* Sent from elsewhere they are signals as all others. */
	pid = start();
	if (pid == 0) {
		signal(SIGSEGV, SIG_IGN);
		raise(SIGSEGV);
		kill(getpid(), SIGSEGV);
		_exit(7);
	}
	CHECK_EQ(ended(pid), 7);
	return check_done();
}
