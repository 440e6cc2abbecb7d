/* Clocks move forward, sleeping takes as long as asked, resolutions are told. */
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static long long now(clockid_t clock)
{
	struct timespec t;
	CHECK_OK(clock_gettime(clock, &t));
	CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
		CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	struct timespec t, left;
	struct timeval tv;

	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		long long a = now(clocks[i]), b = now(clocks[i]);
		CHECK(b >= a);
		CHECK_OK(clock_getres(clocks[i], &t));
		CHECK(t.tv_sec == 0 && t.tv_nsec > 0);
	}
	CHECK_ERRNO(clock_gettime(99, &t), EINVAL);
	CHECK(time(NULL) > 1600000000);
	CHECK_OK(gettimeofday(&tv, NULL));
	long long difference = tv.tv_sec - time(NULL);
	CHECK(difference >= -1 && difference <= 0);

	long long start = now(CLOCK_MONOTONIC);
	t = (struct timespec){ 0, 20000000 };
	CHECK_OK(nanosleep(&t, &left));
	CHECK_OK(usleep(10000));
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL), 0);
	long long end = now(CLOCK_MONOTONIC);
	CHECK(end - start >= 50000000 && end - start < 5000000000LL);
	t = (struct timespec){ end / 1000000000 , end % 1000000000 };
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
	t.tv_nsec = 1000000000;
	CHECK_ERRNO(nanosleep(&t, NULL), EINVAL);
	CHECK_EQ(sleep(0), 0);

	long long cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	volatile unsigned x = 0;
	while (now(CLOCK_PROCESS_CPUTIME_ID) - cpu < 20000000)
		for (int i = 0; i < 10000; i++)
			x += (unsigned)i;
	CHECK(clock() > 0);
	struct tms tms;
	CHECK(times(&tms) != (clock_t)-1);
	struct rusage usage;
	CHECK_OK(getrusage(RUSAGE_SELF, &usage));
	CHECK(usage.ru_utime.tv_sec * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000LL + usage.ru_stime.tv_usec > 0);
	CHECK_ERRNO(getrusage(12345, &usage), EINVAL);

	/* Not everybody may wake a machine up, and not every machine has a clock that does. */
	if (geteuid() == 0)
		CHECK_OK(setresuid(54326, 54326, 54326));
	t = (struct timespec){ 0, 1000 };
	int error = clock_nanosleep(CLOCK_BOOTTIME_ALARM, 0, &t, NULL);
	CHECK(error == EPERM || error == EOPNOTSUPP);
	error = clock_nanosleep(CLOCK_REALTIME_ALARM, TIMER_ABSTIME, &t, NULL);
	CHECK(error == EPERM || error == EOPNOTSUPP);
	return check_done();
}
