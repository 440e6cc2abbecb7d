/* A stack overflow is handled on the alternate stack and left by siglongjmp, again and again, in a child as well.
 *
 * @opt -O0 -O2
 */
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include "process.h"

enum { SIZE = 128 * 1024 };

static char *stack;
static volatile int on_it;
static sigjmp_buf point;

static int inside(const void *at)
{
	return (uintptr_t)at >= (uintptr_t)stack && (uintptr_t)at < (uintptr_t)stack + SIZE;
}

static void on_overflow(int signo)
{
	char here;
	on_it = inside(&here);
	siglongjmp(point, signo);
}

static volatile int more = 1;

static int deeper(int n)
{
	volatile char space[500];
	memset((char *)space, n, sizeof space);
	if (!more)
		return n;
	return deeper(n + 1) + space[n % 500];
}

int main(void)
{
	stack_t now, set = { 0 };
	stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	set.ss_sp = stack;
	set.ss_size = SIZE;
	CHECK_OK(sigaltstack(&set, NULL));

	/* More than once: the jump leaves everything as it was. */
	CHECK_OK(handle(SIGSEGV, on_overflow, SA_ONSTACK));
	for (int i = 0; i < 3; i++) {
		on_it = 0;
		int signo = sigsetjmp(point, 1);
		if (signo == 0)
			deeper(1);
		CHECK_EQ(signo, SIGSEGV);
		CHECK_EQ(on_it, 1);
	}
	/* A child has the stack, exec has not; without SA_ONSTACK an overflow is the end. */
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(sigaltstack(NULL, &now));
		CHECK(now.ss_sp == stack && now.ss_flags == 0);
		int signo = sigsetjmp(point, 1);
		if (signo == 0)
			deeper(1);
		CHECK_EQ(signo, SIGSEGV);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	pid = start();
	if (pid == 0) {
		CHECK_OK(handle(SIGSEGV, on_overflow, 0));
		_exit(deeper(1) & 1);
	}
	CHECK_EQ(ended(pid), 128 + SIGSEGV);
	return check_done();
}
