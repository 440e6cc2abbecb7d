/* What the permissions of files and directories refuse, where the process has no privilege to overlook them.
 *
 * @in scratch
 * @cflags -w
 */
#include <linux/capability.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include "errors.h"

int main(void)
{
	struct stat st;
	struct statfs fs;
	char text[16];
	prepare_paths();
	CHECK_OK(mkdir("closed", 0700));
	CHECK_OK(close(creat("closed/inside", 0600)));
	CHECK_OK(symlink("x", "closed/link"));
	CHECK_OK(close(creat("locked", 0600)));
	/* The owner without capabilities, as if it were another user's process. */
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	CHECK_OK(syscall(SYS_capset, &header, (struct __user_cap_data_struct[2]){ { 0 } }));
	CHECK_OK(chmod("locked", 0));
	CHECK_OK(chmod("closed", 0));
	errno = 0;
	int fd = open("locked", O_RDONLY);
	if (fd >= 0) {
		/* lind as the host's superuser: the host refuses it nothing. */
		CHECK_OK(chmod("closed", 0700));
		return check_done();
	}
	CHECK_EQ(errno, EACCES);
	CHECK_ERRNO(open("locked", O_WRONLY), EACCES);
	CHECK_ERRNO(open("closed", O_RDONLY), EACCES);
	CHECK_ERRNO(open("closed/inside", O_RDONLY), EACCES);
	CHECK_ERRNO(open("closed/new", O_WRONLY | O_CREAT, 0600), EACCES);
	CHECK_ERRNO(open("closed", O_TMPFILE | O_RDWR, 0600), EACCES);
	CHECK_ERRNO(mkdir("closed/new", 0700), EACCES);
	CHECK_ERRNO(mknod("closed/new", S_IFIFO | 0600, 0), EACCES);
	CHECK_ERRNO(symlink("x", "closed/new"), EACCES);
	CHECK_ERRNO(link("file", "closed/new"), EACCES);
	CHECK_ERRNO(link("closed/inside", "new"), EACCES);
	CHECK_ERRNO(rename("closed/inside", "new"), EACCES);
	CHECK_ERRNO(rename("file", "closed/new"), EACCES);
	CHECK_ERRNO(unlink("closed/inside"), EACCES);
	CHECK_ERRNO(rmdir("closed/inside"), EACCES);
	CHECK_ERRNO(chdir("closed"), EACCES);
	CHECK_ERRNO(stat("closed/inside", &st), EACCES);
	CHECK_ERRNO(statfs("closed/inside", &fs), EACCES);
	CHECK_ERRNO(readlink("closed/link", text, sizeof text), EACCES);
	CHECK_ERRNO(chmod("closed/inside", 0600), EACCES);
	CHECK_ERRNO(chown("closed/inside", -1, -1), EACCES);
	CHECK_ERRNO(utimensat(AT_FDCWD, "closed/inside", NULL, 0), EACCES);
	CHECK_ERRNO(truncate("locked", 0), EACCES);
	CHECK_ERRNO(truncate("closed/inside", 0), EACCES);
	CHECK_ERRNO(access("locked", R_OK), EACCES);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "locked", R_OK, AT_EACCESS), EACCES);
	CHECK_ERRNO(access("closed/inside", F_OK), EACCES);
	CHECK_ERRNO(inotify_add_watch(inotify_init1(0), "locked", IN_MODIFY), EACCES);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un name = { AF_UNIX, "closed/socket" };
	CHECK_ERRNO(bind(s, (void *)&name, sizeof name), EACCES);
	CHECK_ERRNO(connect(s, (void *)&name, sizeof name), EACCES);
	CHECK_OK(chmod("closed", 0700));
	return check_done();
}
