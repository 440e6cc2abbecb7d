/* The links of /proc to a file whose path is longer than any path may be.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../check.h"

enum { DEPTH = 20 };

int main(void)
{
	char name[256], link[64], text[8192];
	memset(name, 'd', 250);
	name[250] = '\0';
	for (int i = 0; i < DEPTH; i++) {
		CHECK_OK(mkdir(name, 0700));
		CHECK_OK(chdir(name));
	}
	int fd = open("file", O_CREAT | O_RDWR, 0600);
	CHECK_OK(fd);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	CHECK_ERRNO(readlink(link, text, sizeof text), ENAMETOOLONG);
	CHECK_ERRNO(readlink("/proc/self/cwd", text, sizeof text), ENAMETOOLONG);
	/* The file can be opened by them all the same. */
	CHECK_OK(open(link, O_RDONLY));
	CHECK_OK(open("/proc/self/cwd/file", O_RDONLY));
	CHECK_OK(unlink("file"));
	for (int i = 0; i < DEPTH; i++) {
		CHECK_OK(chdir(".."));
		CHECK_OK(rmdir(name));
	}
	return check_done();
}
