/* Extended attributes of the user namespace.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	char value[16] = "", names[64];
	int fd = open("file", O_RDWR | O_CREAT, 0644);
	if (setxattr("file", "user.a", "one", 3, 0) < 0 && errno == ENOTSUP) {
		puts("this file system has none");
		return 0;
	}
	CHECK_ERRNO(setxattr("file", "user.a", "one", 3, XATTR_CREATE), EEXIST);
	CHECK_ERRNO(setxattr("file", "user.b", "two", 3, XATTR_REPLACE), ENODATA);
	CHECK_OK(fsetxattr(fd, "user.b", "second", 6, 0));
	CHECK_EQ(getxattr("file", "user.a", value, sizeof value), 3);
	CHECK_STR(value, "one");
	CHECK_EQ(fgetxattr(fd, "user.b", NULL, 0), 6);
	CHECK_ERRNO(fgetxattr(fd, "user.b", value, 2), ERANGE);
	CHECK_ERRNO(getxattr("file", "user.c", value, 16), ENODATA);
	CHECK_EQ(listxattr("file", names, sizeof names), 14);
	CHECK_OK(removexattr("file", "user.a"));
	CHECK_ERRNO(removexattr("file", "user.a"), ENODATA);
	CHECK_ERRNO(getxattr("absent", "user.a", value, 16), ENOENT);
	return check_done();
}
