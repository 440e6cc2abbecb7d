/* Time limits: relative for FUTEX_WAIT, absolute for the bitset form on either clock; handlers interrupt. */
#include <sys/time.h>
#include "futex.h"

static word at;
static volatile int calls;

static void on_alarm(int signo)
{
	(void)signo;
	if (++calls == 5) {
		at = 1;
		futex(&at, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

int main(void)
{
	struct timespec begin = in_ms(CLOCK_MONOTONIC, 0), wait = { 0, 20000000 };
	CHECK_ERRNO(futex(&at, FUTEX_WAIT, 0, &wait, NULL, 0), ETIMEDOUT);
	long ms = ms_since(&begin);
	CHECK(ms >= 20 && ms < 5000);
	begin = in_ms(CLOCK_MONOTONIC, 0);
	wait = in_ms(CLOCK_MONOTONIC, 20);
	CHECK_ERRNO(futex(&at, FUTEX_WAIT_BITSET, 0, &wait, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
	ms = ms_since(&begin);
	CHECK(ms >= 19 && ms < 5000);
	begin = in_ms(CLOCK_MONOTONIC, 0);
	wait = in_ms(CLOCK_REALTIME, 20);
	CHECK_ERRNO(futex(&at, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &wait, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
	ms = ms_since(&begin);
	CHECK(ms >= 19 && ms < 5000);
	/* Over already. */
	wait = (struct timespec){ 1, 0 };
	CHECK_ERRNO(futex(&at, FUTEX_WAIT_BITSET, 0, &wait, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
	CHECK_ERRNO(futex(&at, FUTEX_WAIT_BITSET, 1, &wait, NULL, FUTEX_BITSET_MATCH_ANY), EAGAIN);

	/* A handler without SA_RESTART ends a wait; with it a wait goes on until the wake-up, also with a limit far away. */
	struct itimerval often = { { 0, 4000 }, { 0, 4000 } }, off = { { 0, 0 }, { 0, 0 } };
	CHECK_OK(handle(SIGALRM, on_alarm, 0));
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	CHECK_ERRNO(futex(&at, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
	CHECK_OK(handle(SIGALRM, on_alarm, SA_RESTART));
	long result;
	wait = (struct timespec){ 100, 0 };
	while (at == 0 && (result = futex(&at, FUTEX_WAIT, 0, &wait, NULL, 0)) < 0)
		if (errno != EAGAIN)
			CHECK_EQ(errno, EINTR);
	CHECK(calls >= 5);
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
	return check_done();
}
