/* sigaltstack: handlers run on it with SA_ONSTACK only; nested ones, what is refused, a child's stack.
 *
 * @opt -O0 -O2
 */
#include <stdint.h>
#include <sys/mman.h>
#include "process.h"

enum { SIZE = 128 * 1024 };

static char *stack;
static volatile int on_it, flags_inside, error_inside, calls;

static int inside(const void *at)
{
	return (uintptr_t)at >= (uintptr_t)stack && (uintptr_t)at < (uintptr_t)stack + SIZE;
}

static void on_signal(int signo)
{
	char here;
	stack_t now, other = { .ss_flags = SS_DISABLE };
	(void)signo;
	calls++;
	on_it = inside(&here);
	sigaltstack(NULL, &now);
	flags_inside = now.ss_flags;
	error_inside = sigaltstack(&other, NULL) == 0 ? 0 : errno;
	/* A nested one stays on the same stack, below. */
	if (signo == SIGUSR1 && calls == 1) {
		raise(SIGUSR2);
		CHECK(on_it);
	}
}

int main(void)
{
	stack_t now, set = { 0 };
	stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_OK(sigaltstack(NULL, &now));
	CHECK_EQ(now.ss_flags, SS_DISABLE);
	set.ss_sp = stack;
	set.ss_size = 100;
	CHECK_ERRNO(sigaltstack(&set, NULL), ENOMEM);
	set.ss_size = SIZE;
	set.ss_flags = 77;
	CHECK_ERRNO(sigaltstack(&set, NULL), EINVAL);
	set.ss_flags = 0;
	CHECK_OK(sigaltstack(&set, NULL));
	CHECK_OK(sigaltstack(NULL, &now));
	CHECK(now.ss_sp == stack && now.ss_size == SIZE && now.ss_flags == 0);

	CHECK_OK(handle(SIGUSR1, on_signal, SA_ONSTACK));
	CHECK_OK(handle(SIGUSR2, on_signal, SA_ONSTACK));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(calls, 2);
	CHECK_EQ(on_it, 1);
	CHECK_EQ(flags_inside, SS_ONSTACK);
	CHECK_EQ(error_inside, EPERM);
	CHECK_OK(handle(SIGUSR1, on_signal, 0));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(on_it, 0);
	CHECK_EQ(flags_inside, 0);
	CHECK_EQ(error_inside, 0);
	CHECK_OK(sigaltstack(&set, NULL));

	/* A child has the stack. */
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(sigaltstack(NULL, &now));
		CHECK(now.ss_sp == stack && now.ss_flags == 0);
		CHECK_OK(raise(SIGUSR2));
		CHECK_EQ(on_it, 1);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	set.ss_flags = SS_DISABLE;
	CHECK_OK(sigaltstack(&set, NULL));
	CHECK_OK(sigaltstack(NULL, &now));
	CHECK_EQ(now.ss_flags, SS_DISABLE);
	return check_done();
}
