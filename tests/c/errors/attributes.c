/* All twelve calls about extended attributes: by path, of a symbolic link itself, by descriptor; each wrong argument.
 *
 * @in scratch
 * @cflags -w
 */
#include <sys/stat.h>
#include <sys/xattr.h>
#include "errors.h"

int main(void)
{
	char value[16] = "", names[64], name[300] = "user.";
	prepare_paths();
	if (setxattr("file", "user.a", "one", 3, 0) < 0 && errno == ENOTSUP) {
		puts("this file system has none");
		return 0;
	}
	CHECK_OK(symlink("file", "link"));
	int fd = open("file", O_RDONLY), dir = open("dir", O_RDONLY), path = open("file", O_PATH);
	memset(name + 5, 'n', 251);

	/* A link leads to the file, or is a thing of its own, which has no attributes of users. */
	CHECK_EQ(getxattr("link", "user.a", value, sizeof value), 3);
	CHECK_ERRNO(lsetxattr("link", "user.a", "x", 1, 0), EPERM);
	CHECK_ERRNO(lgetxattr("link", "user.a", value, sizeof value), ENODATA);
	CHECK_ERRNO(lremovexattr("link", "user.a"), EPERM);
	CHECK_OK(llistxattr("link", names, sizeof names));
	CHECK_OK(lsetxattr("file", "user.b", "two", 3, XATTR_CREATE));
	CHECK_EQ(lgetxattr("file", "user.b", value, sizeof value), 3);
	CHECK_EQ(llistxattr("file", names, sizeof names), 14);
	CHECK_OK(lremovexattr("file", "user.b"));
	CHECK_ERRNO(lremovexattr("file", "user.b"), ENODATA);

	CHECK_OK(fsetxattr(dir, "user.of-dir", "", 0, 0));
	CHECK_EQ(fgetxattr(dir, "user.of-dir", value, sizeof value), 0);
	CHECK_EQ(flistxattr(dir, names, sizeof names), 12);
	CHECK_STR(names, "user.of-dir");
	CHECK_OK(fremovexattr(dir, "user.of-dir"));
	CHECK_EQ(flistxattr(dir, NULL, 0), 0);
	CHECK_OK(fsetxattr(fd, "user.a", "new", 3, XATTR_REPLACE));
	CHECK_EQ(flistxattr(fd, NULL, 0), 7);
	CHECK_EQ(listxattr("link", NULL, 0), 7);

	CHECK_ERRNO(fsetxattr(CLOSED, "user.a", "x", 1, 0), EBADF);
	CHECK_ERRNO(fgetxattr(CLOSED, "user.a", value, 1), EBADF);
	CHECK_ERRNO(flistxattr(CLOSED, names, 1), EBADF);
	CHECK_ERRNO(fremovexattr(CLOSED, "user.a"), EBADF);
	CHECK_ERRNO(fsetxattr(path, "user.a", "x", 1, 0), EBADF);
	CHECK_ERRNO(fgetxattr(path, "user.a", value, 1), EBADF);
	CHECK_ERRNO(flistxattr(path, names, 1), EBADF);
	CHECK_ERRNO(fremovexattr(path, "user.a"), EBADF);

	CHECK_ERRNO(getxattr("file", "user.a", value, 2), ERANGE);
	CHECK_ERRNO(lgetxattr("file", "user.a", value, 1), ERANGE);
	CHECK_ERRNO(fgetxattr(fd, "user.a", value, 2), ERANGE);
	CHECK_ERRNO(listxattr("file", names, 3), ERANGE);
	CHECK_ERRNO(llistxattr("file", names, 3), ERANGE);
	CHECK_ERRNO(flistxattr(fd, names, 3), ERANGE);
	CHECK_ERRNO(setxattr("file", "user.a", "x", 1, XATTR_CREATE), EEXIST);
	CHECK_ERRNO(lsetxattr("file", "user.a", "x", 1, XATTR_CREATE), EEXIST);
	CHECK_ERRNO(fsetxattr(fd, "user.a", "x", 1, XATTR_CREATE), EEXIST);
	CHECK_ERRNO(lsetxattr("file", "user.b", "x", 1, XATTR_REPLACE), ENODATA);
	CHECK_ERRNO(fsetxattr(fd, "user.b", "x", 1, XATTR_REPLACE), ENODATA);
	CHECK_ERRNO(fremovexattr(fd, "user.b"), ENODATA);
	CHECK_ERRNO(fgetxattr(fd, "user.b", value, 1), ENODATA);

	CHECK_ERRNO(setxattr("file", "user.a", "x", 1, 4), EINVAL);
	CHECK_ERRNO(setxattr("file", "", "x", 1, 0), ERANGE);
	CHECK_ERRNO(setxattr("file", name, "x", 1, 0), ERANGE);
	CHECK_ERRNO(getxattr("file", name, value, 1), ERANGE);
	CHECK_ERRNO(removexattr("file", name), ERANGE);
	CHECK_ERRNO(setxattr("file", "nothing.a", "x", 1, 0), ENOTSUP);
	CHECK_ERRNO(getxattr("file", "nothing.a", value, 1), ENOTSUP);
	CHECK_ERRNO(removexattr("file", "nothing.a"), ENOTSUP);
	CHECK_ERRNO(setxattr("file", "user.a", calloc(1, 65537), 65537, 0), E2BIG);
	CHECK_ERRNO(setxattr("file", BAD, "x", 1, 0), EFAULT);
	CHECK_ERRNO(setxattr("file", "user.a", BAD, 1, 0), EFAULT);
	CHECK_ERRNO(fsetxattr(fd, "user.a", BAD, 1, 0), EFAULT);
	CHECK_ERRNO(getxattr("file", BAD, value, 1), EFAULT);
	CHECK_ERRNO(getxattr("file", "user.a", BAD, 16), EFAULT);
	CHECK_ERRNO(listxattr("file", BAD, 64), EFAULT);
	CHECK_ERRNO(flistxattr(fd, BAD, 64), EFAULT);
	CHECK_ERRNO(fremovexattr(fd, BAD), EFAULT);
	/* Other files than regular ones and directories have none of users. */
	CHECK_OK(mkfifo("fifo", 0600));
	CHECK_ERRNO(setxattr("fifo", "user.a", "x", 1, 0), EPERM);
	CHECK_ERRNO(getxattr("fifo", "user.a", value, 1), ENODATA);
	CHECK_OK(removexattr("link", "user.a"));
	CHECK_EQ(listxattr("file", NULL, 0), 0);
	return check_done();
}
