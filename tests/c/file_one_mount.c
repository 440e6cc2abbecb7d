/* openat2 with RESOLVE_NO_XDEV stays on one mount; links of /proc and scopes.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

static int at(int dir, const char *path, unsigned long long flags, unsigned long long resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };
	if (flags & O_CREAT)
		how.mode = 0600;
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int stays(int dir, const char *path)
{
	return at(dir, path, O_RDONLY, RESOLVE_NO_XDEV);
}

int main(void)
{
	CHECK_OK(mkdir("a", 0700));
	CHECK_OK(mkdir("a/b", 0700));
	CHECK_OK(symlink("b", "a/near"));
	CHECK_OK(symlink("/proc/version", "a/far"));
	CHECK_OK(symlink("/proc/self/fd/0", "a/magic"));
	int here = open(".", O_PATH), proc = open("/proc", O_PATH), dev = open("/dev", O_PATH);

	/* Within a mount, everything goes on as without it. */
	CHECK_OK(at(here, "a/b/new", O_CREAT | O_EXCL | O_RDWR, RESOLVE_NO_XDEV));
	CHECK_ERRNO(at(here, "a/b/new", O_CREAT | O_EXCL | O_RDWR, RESOLVE_NO_XDEV), EEXIST);
	CHECK_OK(stays(here, "a/b/new"));
	CHECK_OK(stays(here, "a/near/new"));
	CHECK_OK(stays(here, "a/near/../../a/b"));
	CHECK_OK(stays(here, "."));
	CHECK_ERRNO(stays(here, "a/absent"), ENOENT);
	CHECK_ERRNO(stays(here, "absent/absent"), ENOENT);
	CHECK_ERRNO(stays(here, "a/b/new/x"), ENOTDIR);
	CHECK_ERRNO(at(here, "a/near", O_RDONLY | O_NOFOLLOW, RESOLVE_NO_XDEV), ELOOP);
	CHECK_OK(stays(proc, "version"));
	CHECK_OK(stays(proc, "self/status"));
	CHECK_OK(stays(proc, "self/../version"));
	/* Not /proc/sys, not /dev/null: containers mount those. */
	CHECK_OK(stays(proc, "self/task"));
	CHECK_OK(stays(dev, "."));
	CHECK_OK(stays(-1, "/"));

	/* Down into another one. */
	CHECK_ERRNO(stays(-1, "/proc"), EXDEV);
	CHECK_ERRNO(stays(-1, "/proc/version"), EXDEV);
	CHECK_ERRNO(stays(-1, "/proc/absent/absent"), EXDEV);
	CHECK_ERRNO(stays(-1, "/dev"), EXDEV);
	CHECK_ERRNO(stays(-1, "/dev/null"), EXDEV);
	CHECK_ERRNO(at(-1, "/proc", O_PATH, RESOLVE_NO_XDEV), EXDEV);
	CHECK_ERRNO(at(-1, "/dev/new", O_CREAT | O_RDWR, RESOLVE_NO_XDEV), EXDEV);
	CHECK_ERRNO(stays(here, "a/far"), EXDEV);
	CHECK_ERRNO(stays(here, "a/magic"), EXDEV);

	/* Up out of it. */
	CHECK_ERRNO(stays(proc, ".."), EXDEV);
	CHECK_ERRNO(stays(proc, "../proc/version"), EXDEV);
	CHECK_ERRNO(stays(proc, "self/../.."), EXDEV);
	CHECK_ERRNO(stays(dev, "../dev/null"), EXDEV);

	/* By a link of /proc. */
	CHECK_ERRNO(stays(proc, "self/cwd"), EXDEV);
	CHECK_ERRNO(stays(proc, "self/cwd/a"), EXDEV);
	CHECK_ERRNO(stays(proc, "self/root"), EXDEV);
	CHECK_ERRNO(stays(proc, "self/exe"), EXDEV);
	CHECK_ERRNO(stays(proc, "self/fd/0"), EXDEV);
	CHECK_OK(fchdir(proc));
	CHECK_OK(stays(proc, "self/cwd"));
	CHECK_OK(stays(AT_FDCWD, "self/cwd/version"));
	CHECK_OK(fchdir(here));

	/* Scopes do not follow them either; that they are not to be followed comes first. */
	CHECK_ERRNO(at(proc, "self/cwd", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(at(proc, "self/cwd", O_RDONLY, RESOLVE_IN_ROOT), EXDEV);
	CHECK_ERRNO(at(proc, "self/cwd", O_RDONLY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), ELOOP);
	CHECK_ERRNO(at(proc, "self/cwd", O_RDONLY, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), ELOOP);
	CHECK_ERRNO(at(proc, "self/cwd", O_RDONLY, RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS), ELOOP);
	CHECK_OK(at(here, "/a/b", O_RDONLY, RESOLVE_IN_ROOT | RESOLVE_NO_XDEV));
	CHECK_ERRNO(at(here, "/proc/version", O_RDONLY, RESOLVE_IN_ROOT | RESOLVE_NO_XDEV), ENOENT);
	return check_done();
}
