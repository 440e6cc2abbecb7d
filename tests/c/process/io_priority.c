/* ioprio_set and ioprio_get: of a thread, a group, a user; what a child gets; each wrong argument. */
#include <sys/syscall.h>
#include "../process.h"

enum { PROCESS = 1, GROUP, USER, REAL_TIME = 1 << 13, BEST_EFFORT = 2 << 13, IDLE = 3 << 13, NOBODY = 1 << 22 };

static int set(int which, int who, int priority)
{
	return (int)syscall(SYS_ioprio_set, which, who, priority);
}

static int get(int which, int who)
{
	return (int)syscall(SYS_ioprio_get, which, who);
}

static void group(void)
{
	struct gate ready = gate(), go = gate();
	if (geteuid() == 0)
		CHECK_OK(setresuid(54327, 54327, 54327));
	CHECK_OK(setpgid(0, 0));
	CHECK_OK(get(PROCESS, 0));
	CHECK_OK(set(PROCESS, 0, BEST_EFFORT | 6));
	CHECK_EQ(get(PROCESS, 0), BEST_EFFORT | 6);
	CHECK_EQ(get(PROCESS, getpid()), BEST_EFFORT | 6);
	CHECK_EQ(get(GROUP, 0), BEST_EFFORT | 6);
	pid_t child = start();
	if (child == 0) {
		CHECK_EQ(get(PROCESS, 0), BEST_EFFORT | 6);
		CHECK_OK(set(PROCESS, 0, BEST_EFFORT | 2));
		gate_open(&ready);
		gate_wait(&go);
		CHECK_EQ(get(PROCESS, 0), IDLE);
		finish();
	}
	gate_wait(&ready);
	CHECK_EQ(get(PROCESS, child), BEST_EFFORT | 2);
	CHECK_EQ(get(PROCESS, 0), BEST_EFFORT | 6);
	/* The best of them. */
	CHECK_EQ(get(GROUP, getpid()), BEST_EFFORT | 2);
	CHECK_EQ(get(USER, (int)getuid()), BEST_EFFORT | 2);
	CHECK_OK(set(GROUP, 0, IDLE));
	CHECK_EQ(get(PROCESS, 0), IDLE);
	gate_open(&go);
	CHECK_EQ(ended(child), 0);
	CHECK_OK(set(PROCESS, 0, 0));

	CHECK_ERRNO(set(0, 0, IDLE), EINVAL);
	CHECK_ERRNO(set(4, 0, IDLE), EINVAL);
	CHECK_ERRNO(get(0, 0), EINVAL);
	CHECK_ERRNO(get(4, 0), EINVAL);
	CHECK_ERRNO(set(PROCESS, 0, 1), EINVAL);
	CHECK_ERRNO(set(PROCESS, 0, 5 << 13), EINVAL);
	CHECK_ERRNO(set(PROCESS, 0, REAL_TIME | 4), EPERM);
	CHECK_ERRNO(set(PROCESS, NOBODY, IDLE), ESRCH);
	CHECK_ERRNO(set(GROUP, NOBODY, IDLE), ESRCH);
	CHECK_ERRNO(get(PROCESS, NOBODY), ESRCH);
	CHECK_ERRNO(get(GROUP, NOBODY), ESRCH);
	CHECK_ERRNO(get(USER, 777777), ESRCH);
}

int main(void)
{
	CHECK_EQ(in_child(group), 0);
	return check_done();
}
