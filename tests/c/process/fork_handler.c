/* fork in a signal handler that interrupts a blocked read: both processes come back from the handler and the read.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 */
#include <sys/time.h>
#include "process.h"

static volatile sig_atomic_t runs;
static volatile pid_t forked = -1;
static int again = -1;

static void on_alarm(int signo)
{
	int saved = errno;
	(void)signo;
	runs = runs + 1;
	if (runs == 3) {
		forked = fork();
		if (forked == 0) {
			/* The interval timer is not inherited, so nothing else would end the child's read. */
			struct itimerval once = { { 0, 5000 }, { 0, 5000 } };
			setitimer(ITIMER_REAL, &once, NULL);
		}
	}
	if (runs >= 6 && again >= 0 && write(again, "r", 1) != 1)
		_exit(97);
	errno = saved;
}

int main(void)
{
	struct itimerval often = { { 0, 5000 }, { 0, 5000 } };
	int ends[2];
	char byte = 0;
	CHECK_OK(pipe(ends));

	/* Without SA_RESTART every handler ends the read. */
	CHECK_OK(handle(SIGALRM, on_alarm, 0));
	fflush(stdout);
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	while (runs < 6)
		CHECK_ERRNO(read(ends[0], &byte, 1), EINTR);
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
	CHECK(forked >= 0);
	if (forked == 0)
		finish();
	CHECK_EQ(ended(forked), 0);

	/* With it the read goes on in both processes until the handler writes. */
	runs = 0;
	forked = -1;
	again = ends[1];
	CHECK_OK(handle(SIGALRM, on_alarm, SA_RESTART));
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
	CHECK_EQ(byte, 'r');
	/* Either one may have read what the other wrote. */
	CHECK(forked >= 0 && runs >= 3);
	if (forked == 0)
		finish();
	CHECK_EQ(ended(forked), 0);
	return check_done();
}
