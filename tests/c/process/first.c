/* Process 1 is there, and is not the program's: it can be asked about its scheduling. */
#include <sched.h>
#include <sys/resource.h>
#include "process.h"

int main(void)
{
	cpu_set_t set;
	struct sched_param param;
	struct timespec slice;
	CHECK_OK(sched_getaffinity(1, sizeof set, &set));
	CHECK(CPU_COUNT(&set) > 0);
	CHECK_EQ(sched_getscheduler(1), SCHED_OTHER);
	CHECK_OK(sched_getparam(1, &param));
	CHECK_EQ(param.sched_priority, 0);
	CHECK_OK(sched_rr_get_interval(1, &slice));
	errno = 0;
	CHECK(getpriority(PRIO_PROCESS, 1) < 20 && errno == 0);
	if (geteuid() == 0)
		CHECK_OK(kill(1, 0));
	else
		CHECK_ERRNO(kill(1, 0), EPERM);
	CHECK_ERRNO(kill(1, 65), EINVAL);
	CHECK_ERRNO(waitpid(1, NULL, WNOHANG), ECHILD);
	return check_done();
}
