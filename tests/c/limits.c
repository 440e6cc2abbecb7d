/* Resource limits: soft and hard, and what sysconf says of them. */
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	static const int all[] = { RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_STACK,
		RLIMIT_NPROC, RLIMIT_MEMLOCK, RLIMIT_RSS };
	struct rlimit r;

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		CHECK_OK(getrlimit(all[i], &r));
		CHECK(r.rlim_cur <= r.rlim_max);
	}
	CHECK_ERRNO(getrlimit(1000, &r), EINVAL);
	CHECK_OK(getrlimit(RLIMIT_CORE, &r));
	r.rlim_cur = 0;
	CHECK_OK(setrlimit(RLIMIT_CORE, &r));
	CHECK_OK(getrlimit(RLIMIT_CORE, &r));
	CHECK_EQ(r.rlim_cur, 0);
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = r.rlim_max - 1;
	r.rlim_max = r.rlim_max - 1;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = r.rlim_max + 1;
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &r), EINVAL);
	struct rlimit old;
	CHECK_OK(prlimit(0, RLIMIT_NOFILE, NULL, &old));
	CHECK_EQ(old.rlim_max, r.rlim_max);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	CHECK(sysconf(_SC_ARG_MAX) >= 4096);
	CHECK_EQ(sysconf(_SC_CLK_TCK), 100);
	CHECK_ERRNO(sysconf(-1), EINVAL);
	CHECK_OK(getpriority(PRIO_PROCESS, 0));
	return check_done();
}
