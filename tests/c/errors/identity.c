/* Who a process is: user and group ids, capabilities, names of the machine, personality.
 *
 * @cflags -w
 */
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include "errors.h"

static long capget_call(unsigned version, int pid, struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct header = { version, pid };
	long result = syscall(SYS_capget, &header, data);
	return result == 0 && header.version != version ? -2 : result;
}

static long capset_call(unsigned version, int pid, struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct header = { version, pid };
	return syscall(SYS_capset, &header, data);
}

static void users(void)
{
	uid_t real, effective, saved, other;
	CHECK_OK(getresuid(&real, &effective, &saved));
	CHECK(real == effective && effective == saved && real == getuid() && real != 0);
	other = real + 1;
	CHECK_OK(setuid(real));
	CHECK_OK(seteuid(real));
	CHECK_OK(setreuid(-1, -1));
	CHECK_OK(setreuid(real, real));
	CHECK_OK(setresuid(-1, -1, -1));
	CHECK_OK(setresuid(real, real, real));
	CHECK_ERRNO(setuid(0), EPERM);
	CHECK_ERRNO(setuid(other), EPERM);
	CHECK_ERRNO(setuid(-1), EINVAL);
	CHECK_ERRNO(setreuid(other, -1), EPERM);
	CHECK_ERRNO(setreuid(-1, other), EPERM);
	CHECK_ERRNO(setresuid(-1, -1, other), EPERM);
	CHECK_ERRNO(setresuid(-1, 0, -1), EPERM);
	CHECK_ERRNO(setresuid(other, -1, -1), EPERM);
	/* These two answer what it was before, whatever happens. */
	CHECK_EQ(setfsuid(other), real);
	CHECK_EQ(setfsuid(-1), real);
	CHECK_EQ(setfsuid(real), real);
	CHECK_ERRNO(getresuid(BAD, &effective, &saved), EFAULT);
	CHECK_ERRNO(getresuid(&real, &effective, BAD), EFAULT);
	CHECK_EQ(getuid(), real);
	CHECK_EQ(geteuid(), real);
}

static void groups(void)
{
	gid_t real, effective, saved, other, list[70];
	CHECK_OK(getresgid(&real, &effective, &saved));
	CHECK(real == effective && effective == saved && real == getgid());
	other = real + 1;
	CHECK_OK(setgid(real));
	CHECK_OK(setegid(real));
	CHECK_OK(setregid(-1, real));
	CHECK_OK(setresgid(real, -1, real));
	CHECK_ERRNO(setgid(0), EPERM);
	CHECK_ERRNO(setgid(-1), EINVAL);
	CHECK_ERRNO(setregid(other, -1), EPERM);
	CHECK_ERRNO(setregid(-1, other), EPERM);
	CHECK_ERRNO(setresgid(-1, other, -1), EPERM);
	CHECK_ERRNO(setresgid(-1, -1, other), EPERM);
	CHECK_EQ(setfsgid(other), real);
	CHECK_EQ(setfsgid(-1), real);
	CHECK_ERRNO(getresgid(&real, BAD, &saved), EFAULT);
	CHECK_ERRNO(setgroups(1, &real), EPERM);
	CHECK_ERRNO(setgroups(0, NULL), EPERM);
	CHECK_ERRNO(getgroups(-1, list), EINVAL);
	int count = getgroups(0, NULL);
	CHECK(count >= 0 && count <= 70);
	CHECK_EQ(getgroups(70, list), count);
	if (count > 0) {
		CHECK_ERRNO(getgroups(70, BAD), EFAULT);
		if (count > 1)
			CHECK_ERRNO(getgroups(1, list), EINVAL);
	}
	CHECK_EQ(getgid(), real);
	CHECK_EQ(getegid(), real);
}

static void capabilities(void)
{
	struct __user_cap_data_struct data[2];
	memset(data, 0xff, sizeof data);
	CHECK_OK(capget_call(_LINUX_CAPABILITY_VERSION_3, 0, data));
	CHECK(data[0].effective == 0 && data[0].permitted == 0 && data[1].effective == 0 && data[1].permitted == 0);
	CHECK_OK(capget_call(_LINUX_CAPABILITY_VERSION_2, getpid(), data));
	CHECK_OK(capget_call(_LINUX_CAPABILITY_VERSION_1, 0, data));
	/* An unknown version is answered with the one to use; without data that is all that was asked. */
	CHECK_ERRNO(capget_call(0, 0, data), EINVAL);
	struct __user_cap_header_struct header = { 0, 0 };
	CHECK_OK(syscall(SYS_capget, &header, NULL));
	CHECK_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
	CHECK_ERRNO(capget_call(_LINUX_CAPABILITY_VERSION_3, -1, data), EINVAL);
	CHECK_ERRNO(capget_call(_LINUX_CAPABILITY_VERSION_3, 1 << 22, data), ESRCH);
	CHECK_ERRNO(syscall(SYS_capget, BAD, data), EFAULT);
	CHECK_ERRNO(capget_call(_LINUX_CAPABILITY_VERSION_3, 0, BAD), EFAULT);
	memset(data, 0, sizeof data);
	CHECK_OK(capset_call(_LINUX_CAPABILITY_VERSION_3, 0, data));
	CHECK_OK(capset_call(_LINUX_CAPABILITY_VERSION_3, getpid(), data));
	CHECK_ERRNO(capset_call(_LINUX_CAPABILITY_VERSION_3, getppid(), data), EPERM);
	CHECK_ERRNO(capset_call(0, 0, data), EINVAL);
	CHECK_ERRNO(capset_call(_LINUX_CAPABILITY_VERSION_3, 0, BAD), EFAULT);
	data[0].permitted = 1 << CAP_CHOWN;
	CHECK_ERRNO(capset_call(_LINUX_CAPABILITY_VERSION_3, 0, data), EPERM);
	data[0].permitted = 0;
	data[0].effective = 1 << CAP_CHOWN;
	CHECK_ERRNO(capset_call(_LINUX_CAPABILITY_VERSION_3, 0, data), EPERM);
	CHECK_ERRNO(prctl(PR_CAPBSET_READ, 999), EINVAL);
	CHECK_ERRNO(prctl(PR_CAPBSET_DROP, CAP_CHOWN), EPERM);
}

static void machine(void)
{
	struct utsname names;
	char name[65];
	CHECK_OK(uname(&names));
	CHECK_STR(names.sysname, "Linux");
	CHECK_OK(gethostname(name, sizeof name));
	CHECK_STR(name, names.nodename);
	CHECK_ERRNO(uname(BAD), EFAULT);
	CHECK_ERRNO(sethostname("other", 5), EPERM);
	CHECK_ERRNO(setdomainname("other", 5), EPERM);
	CHECK_EQ(personality(0xffffffff), PER_LINUX);
	CHECK_EQ(personality(PER_LINUX), PER_LINUX);
}

int main(void)
{
	if (geteuid() == 0)
		CHECK_OK(setgroups(0, NULL));
	drop_privileges();
	users();
	groups();
	capabilities();
	machine();
	return check_done();
}
