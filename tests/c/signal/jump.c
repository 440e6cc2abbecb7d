/* siglongjmp out of handlers: the mask is restored when it was saved, from any depth, out of nested handlers and blocked calls. */
#include <setjmp.h>
#include <sys/time.h>
#include "process.h"

static sigjmp_buf saved, plain;
static volatile int way, calls;

static void deep(int depth)
{
	if (depth > 0)
		deep(depth - 1);
	else if (way == 0)
		siglongjmp(saved, 1);
	else
		siglongjmp(plain, 2);
	calls += 1000;
}

static void on_signal(int signo)
{
	calls++;
	if (signo == SIGUSR1)
		raise(SIGUSR2);
	deep(10);
}

static void on_alarm(int signo)
{
	(void)signo;
	siglongjmp(saved, 3);
}

int main(void)
{
	CHECK_OK(handle(SIGUSR1, on_signal, 0));
	CHECK_OK(handle(SIGUSR2, on_signal, 0));
	CHECK_OK(handle(SIGALRM, on_alarm, 0));
	for (volatile int i = 0; i < 1000; i++) {
		int value = sigsetjmp(saved, 1);
		if (value == 0)
			raise(SIGUSR1);
		CHECK_EQ(value, 1);
		CHECK(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
	}
	CHECK_EQ(calls, 2000);
	/* Without the mask both stay blocked. */
	way = 1;
	int value = sigsetjmp(plain, 0);
	if (value == 0)
		raise(SIGUSR1);
	CHECK_EQ(value, 2);
	CHECK(is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
	mask(SIG_UNBLOCK, SIGUSR1);
	mask(SIG_UNBLOCK, SIGUSR2);
	way = 0;

	/* Out of a blocked read, a loop without calls, and a wait. */
	int ends[2];
	char byte;
	volatile unsigned turns = 0;
	CHECK_OK(pipe(ends));
	struct itimerval soon = { { 0, 0 }, { 0, 3000 } };
	for (volatile int i = 0; i < 12; i++) {
		if ((value = sigsetjmp(saved, 1)) == 0) {
			CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
			if (i % 3 == 0)
				CHECK_EQ(read(ends[0], &byte, 1), 1);
			else if (i % 3 == 1)
				for (;;)
					turns++;
			else
				pause();
			CHECK(!"reached");
		}
		CHECK_EQ(value, 3);
		CHECK(!is_blocked(SIGALRM));
	}
	return check_done();
}
