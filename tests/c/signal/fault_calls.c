/* Calls of null and wild function pointers are SIGSEGV, with a handler that jumps out.
 *
 * @opt -O0 -O2
 */
#include <setjmp.h>
#include <stdint.h>
#include "process.h"

static sigjmp_buf point;
static volatile int calls;

static void on_fault(int signo)
{
	calls++;
	siglongjmp(point, signo);
}

typedef int function(int, double);

static int call(function *f)
{
	int signo = sigsetjmp(point, 1);
	if (signo == 0)
		return f(1, 2.0);
	return -signo;
}

static int right(int a, double b)
{
	return a + (int)b;
}

static function *volatile pointers[] = { NULL, (function *)(uintptr_t)0x7ffff000, right };

int main(void)
{
	CHECK_OK(handle(SIGSEGV, on_fault, 0));
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(call(pointers[0]), -SIGSEGV);
		CHECK_EQ(call(pointers[1]), -SIGSEGV);
		CHECK_EQ(call(pointers[2]), 3);
	}
	CHECK_EQ(calls, 200);
	pid_t pid = start();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		pointers[0](1, 2.0);
		_exit(0);
	}
	CHECK_EQ(ended(pid), 128 + SIGSEGV);
	return check_done();
}
