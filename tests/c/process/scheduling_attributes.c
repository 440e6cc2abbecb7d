/* sched_setattr and sched_getattr of a process without privileges.
 */
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "../process.h"

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
	uint64_t more;
};

static long set(int pid, void *attributes, unsigned flags)
{
	return syscall(SYS_sched_setattr, pid, attributes, flags);
}

static long get(int pid, void *attributes, unsigned size, unsigned flags)
{
	return syscall(SYS_sched_getattr, pid, attributes, size, flags);
}

int main(void)
{
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		return 0;
	struct attributes found = { .policy = 99 };
	CHECK_OK(get(0, &found, 48, 0));
	CHECK_EQ(found.size, 48);
	CHECK_EQ(found.policy, SCHED_OTHER);
	CHECK_EQ(found.nice, getpriority(PRIO_PROCESS, 0));
	CHECK_EQ(found.priority, 0);
	CHECK_ERRNO(get(0, &found, 47, 0), EINVAL);
	CHECK_ERRNO(get(0, &found, 4097, 0), EINVAL);
	CHECK_ERRNO(get(0, &found, 48, 1), EINVAL);
	CHECK_ERRNO(get(0, NULL, 48, 0), EINVAL);
	CHECK_ERRNO(get(-1, &found, 48, 0), EINVAL);
	CHECK_ERRNO(get(0x3ffffff, &found, 48, 0), ESRCH);

	struct attributes wanted = { .size = 48, .policy = SCHED_BATCH, .nice = 15 };
	CHECK_OK(set(0, &wanted, 0));
	CHECK_OK(get(0, &found, 48, 0));
	CHECK_EQ(found.policy, SCHED_BATCH);
	CHECK_EQ(found.nice, 15);
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 15);
	wanted.nice = 13;
	CHECK_ERRNO(set(0, &wanted, 0), EPERM);
	wanted.nice = 17;
	wanted.flags = 8;
	wanted.policy = SCHED_OTHER;
	CHECK_OK(set(0, &wanted, 0));
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 17);
	wanted.flags = 0;
	wanted.policy = SCHED_FIFO;
	wanted.priority = 10;
	CHECK_ERRNO(set(0, &wanted, 0), EPERM);
	wanted.priority = 0;
	CHECK_ERRNO(set(0, &wanted, 0), EINVAL);
	wanted.priority = 100;
	CHECK_ERRNO(set(0, &wanted, 0), EINVAL);
	wanted.policy = SCHED_OTHER;
	wanted.priority = 1;
	CHECK_ERRNO(set(0, &wanted, 0), EINVAL);
	wanted.priority = 0;
	wanted.policy = 77;
	CHECK_ERRNO(set(0, &wanted, 0), EINVAL);
	wanted.policy = -1;
	CHECK_ERRNO(set(0, &wanted, 0), EINVAL);
	wanted.policy = SCHED_OTHER;
	wanted.flags = 1ull << 40;
	CHECK_ERRNO(set(0, &wanted, 0), EINVAL);
	wanted.flags = 0;
	CHECK_ERRNO(set(0, &wanted, 1), EINVAL);
	CHECK_ERRNO(set(0, NULL, 0), EINVAL);
	CHECK_ERRNO(set(-1, &wanted, 0), EINVAL);
	CHECK_ERRNO(set(0x3ffffff, &wanted, 0), ESRCH);
	wanted.size = 10;
	CHECK_ERRNO(set(0, &wanted, 0), E2BIG);
	CHECK(wanted.size >= 56);
	wanted.size = sizeof wanted;
	wanted.more = 1;
	CHECK_ERRNO(set(0, &wanted, 0), E2BIG);
	wanted.size = sizeof wanted;
	wanted.more = 0;
	CHECK_OK(set(0, &wanted, 0));
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	wanted.size = 0;
	wanted.nice = 19;
	CHECK_OK(set(0, &wanted, 0));
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	return check_done();
}
