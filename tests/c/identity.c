/* The ids of the process are consistent; the host's are not needed. */
#include <sys/types.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "check.h"

int main(void)
{
	struct utsname u;
	uid_t r, e, s;
	gid_t gr, ge, gs;

	CHECK(getpid() > 0);
	CHECK_EQ(getpid(), getpid());
	CHECK(getppid() >= 0 && getppid() != getpid());
	CHECK_EQ(syscall(SYS_gettid), getpid());
	CHECK(getpgrp() > 0 && getpgid(0) == getpgrp());
	CHECK(getsid(0) >= 0);
	CHECK_OK(getresuid(&r, &e, &s));
	CHECK(r == getuid() && e == geteuid());
	CHECK_OK(getresgid(&gr, &ge, &gs));
	CHECK(gr == getgid() && ge == getegid());
	CHECK_OK(getgroups(0, NULL));
	CHECK_ERRNO(getpgid(-5), ESRCH);
	CHECK_OK(uname(&u));
	CHECK_STR(u.sysname, "Linux");
	CHECK(u.release[0] >= '3' && u.nodename[0]);
	char host[65];
	CHECK_OK(gethostname(host, sizeof host));
	CHECK_STR(host, u.nodename);
	return check_done();
}
