/* Ambient capabilities: what PR_CAP_AMBIENT lets be raised, and what becomes of them when the user or the program changes.
 *
 * @user root
 */
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "process.h"

static int is_set(int capability)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0);
}

static int change(int how, int capability)
{
	return prctl(PR_CAP_AMBIENT, how, capability, 0, 0);
}

/* Makes a set of the first capabilities inheritable. */
static int inherit(uint32_t set)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	CHECK_OK(syscall(SYS_capget, &header, data));
	data[0].inheritable = set;
	return (int)syscall(SYS_capset, &header, data);
}

static uint32_t permitted(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	CHECK_OK(syscall(SYS_capget, &header, data));
	return data[0].permitted & data[0].effective;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		/* Executed by another user than root. */
		CHECK_EQ(geteuid(), 1234);
		CHECK_EQ(permitted(), strcmp(argv[1], "ambient") ? 0 : 1 << CAP_KILL);
		CHECK_EQ(is_set(CAP_KILL), !strcmp(argv[1], "ambient"));
		finish();
	}
	CHECK_EQ(is_set(CAP_KILL), 0);
	CHECK_EQ(is_set(CAP_LAST_CAP), 0);
	CHECK_ERRNO(is_set(64), EINVAL);
	CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 1, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 1), EINVAL);
	CHECK_ERRNO(change(99, CAP_KILL), EINVAL);
	CHECK_ERRNO(change(PR_CAP_AMBIENT_CLEAR_ALL, CAP_KILL), EINVAL);
	CHECK_OK(change(PR_CAP_AMBIENT_CLEAR_ALL, 0));

	/* Only what is permitted and inheritable. */
	CHECK_OK(inherit(0));
	CHECK_ERRNO(change(PR_CAP_AMBIENT_RAISE, CAP_KILL), EPERM);
	CHECK_OK(inherit(1 << CAP_KILL | 1 << CAP_SETUID));
	CHECK_OK(change(PR_CAP_AMBIENT_RAISE, CAP_KILL));
	CHECK_OK(change(PR_CAP_AMBIENT_RAISE, CAP_SETUID));
	CHECK_ERRNO(change(PR_CAP_AMBIENT_RAISE, CAP_SETGID), EPERM);
	CHECK_EQ(is_set(CAP_KILL), 1);
	CHECK_EQ(is_set(CAP_SETGID), 0);
	CHECK_OK(change(PR_CAP_AMBIENT_LOWER, CAP_SETUID));
	CHECK_EQ(is_set(CAP_SETUID), 0);
	pid_t pid = start();
	if (pid == 0) {
		CHECK_EQ(is_set(CAP_KILL), 1);
		CHECK_OK(inherit(0));
		CHECK_EQ(is_set(CAP_KILL), 0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);

	/* A change of the user clears them; raised after it they are what another user's program has. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
		CHECK_OK(setresuid(1234, 1234, 1234));
		CHECK_EQ(is_set(CAP_KILL), 0);
		CHECK_OK(change(PR_CAP_AMBIENT_RAISE, CAP_KILL));
		execl("/proc/self/exe", argv[0], "ambient", (char *)NULL);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	pid = start();
	if (pid == 0) {
		CHECK_OK(setresuid(1234, 1234, 1234));
		CHECK_ERRNO(change(PR_CAP_AMBIENT_RAISE, CAP_KILL), EPERM);
		execl("/proc/self/exe", argv[0], "none", (char *)NULL);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
