/* alarm, setitimer and timer_create into a loop without system calls; overruns, reading and stopping timers. */
#include <sys/time.h>
#include <sys/times.h>
#include "process.h"

static volatile sig_atomic_t calls;
static volatile unsigned turns;
static volatile int code, value, first_overrun;
static timer_t posix;

static void on_alarm(int signo)
{
	(void)signo;
	calls = calls + 1;
}

static void on_timer(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	calls = calls + 1;
	if (calls == 1)
		first_overrun = timer_getoverrun(posix);
	code = info->si_code;
	value = info->si_value.sival_int;
}

/* No call is made until the handler has run. */
static void spin_until(int count)
{
	while (calls < count)
		turns++;
	CHECK(calls >= count);
}

int main(void)
{
	struct itimerval timer, off = { { 0, 0 }, { 0, 0 } };
	static const int which[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	static const int signals[] = { SIGALRM, SIGVTALRM, SIGPROF };
	for (int i = 0; i < 3; i++) {
		CHECK_OK(handle(signals[i], on_alarm, 0));
		calls = 0;
		timer = (struct itimerval){ { 0, 5000 }, { 0, 5000 } };
		CHECK_OK(setitimer(which[i], &timer, NULL));
		spin_until(4);
		CHECK_OK(setitimer(which[i], &off, &timer));
		CHECK(timer.it_interval.tv_usec >= 5000 && timer.it_interval.tv_usec <= 20000);
		CHECK_OK(getitimer(which[i], &timer));
		CHECK_EQ(timer.it_value.tv_sec + timer.it_value.tv_usec, 0);
		/* Of a timer that is stopped only ITIMER_REAL forgets the interval. */
		timer = (struct itimerval){ { 5, 0 }, { 0, 0 } };
		CHECK_OK(setitimer(which[i], &timer, NULL));
		CHECK_OK(getitimer(which[i], &timer));
		CHECK_EQ(timer.it_interval.tv_sec, which[i] == ITIMER_REAL ? 0 : 5);
		/* Once only. */
		calls = 0;
		timer = (struct itimerval){ { 0, 0 }, { 0, 1000 } };
		CHECK_OK(setitimer(which[i], &timer, NULL));
		spin_until(1);
		CHECK_EQ(calls, 1);
	}
	calls = 0;
	CHECK_EQ(alarm(100), 0);
	CHECK(alarm(1) >= 99);
	spin_until(1);
	CHECK_EQ(alarm(0), 0);
	calls = 0;
	CHECK_EQ(ualarm(2000, 0), 0);
	spin_until(1);
	CHECK_ERRNO(setitimer(9, &off, NULL), EINVAL);
	CHECK_ERRNO(getitimer(-1, &timer), EINVAL);
	timer = (struct itimerval){ { 0, 0 }, { 0, 1000000 } };
	CHECK_ERRNO(setitimer(ITIMER_REAL, &timer, NULL), EINVAL);

	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	CHECK_OK(handle_info(SIGRTMIN, on_timer, 0));
	for (int i = 0; i < 5; i++) {
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 40 + i };
		struct itimerspec spec = { { 0, 2000000 }, { 0, 2000000 } }, now;
		calls = code = value = 0;
		CHECK_OK(timer_create(clocks[i], &event, &posix));
		CHECK_OK(timer_gettime(posix, &now));
		CHECK_EQ(now.it_value.tv_sec + now.it_value.tv_nsec, 0);
		CHECK_OK(timer_settime(posix, 0, &spec, NULL));
		spin_until(4);
		CHECK_EQ(code, SI_TIMER);
		CHECK_EQ(value, 40 + i);
		CHECK_OK(timer_gettime(posix, &now));
		CHECK(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000);
		CHECK_EQ(now.it_interval.tv_nsec, 2000000);
		/* While it is blocked, expirations are counted. */
		mask(SIG_BLOCK, SIGRTMIN);
		calls = first_overrun = 0;
		struct timespec begin, at;
		clock_gettime(clocks[i], &begin);
		do
			clock_gettime(clocks[i], &at);
		while ((at.tv_sec - begin.tv_sec) * 1000000000LL + at.tv_nsec - begin.tv_nsec < 20000000);
		mask(SIG_UNBLOCK, SIGRTMIN);
		spin_until(1);
		CHECK(first_overrun >= 2 && first_overrun < 5000);
		CHECK_OK(timer_settime(posix, 0, &(struct itimerspec){ 0 }, NULL));
		CHECK_OK(timer_delete(posix));
		CHECK_ERRNO(timer_delete(posix), EINVAL);
	}
	return check_done();
}
