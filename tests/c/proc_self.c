/* What /proc/self tells of the process itself.
 *
 * @in scratch
 * @args first second
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static const char *base(const char *path)
{
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

int main(void)
{
	char text[PATH_MAX] = "", own[64];
	struct stat a, b;
	ssize_t n = readlink("/proc/self/exe", text, sizeof text - 1);
	CHECK(n > 0);
	CHECK_STR(base(text), "proc_self");
	CHECK_OK(access("/proc/self/exe", R_OK));
	snprintf(own, sizeof own, "/proc/%d/cmdline", getpid());
	int fd = open(own, O_RDONLY);
	CHECK_OK(fd);
	n = read(fd, text, sizeof text);
	CHECK(n > 14 && memcmp(text + n - 13, "first\0second", 13) == 0);
	CHECK_OK(close(fd));
	fd = open("file", O_RDWR | O_CREAT, 0644);
	snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
	memset(text, 0, sizeof text);
	CHECK(readlink(own, text, sizeof text - 1) > 0);
	CHECK_STR(base(text), "file");
	CHECK_OK(stat(own, &a));
	CHECK_OK(fstat(fd, &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK_EQ(write(fd, "x", 1), 1);
	int again = open(own, O_RDONLY);
	CHECK_EQ(read(again, text, 1), 1);
	CHECK_EQ(text[0], 'x');
	CHECK_OK(close(again));
	DIR *dir = opendir("/proc/self/fd");
	CHECK(dir != NULL);
	int found = 0;
	for (struct dirent *e; dir && (e = readdir(dir));)
		found |= atoi(e->d_name) == fd && e->d_name[0] != '.';
	CHECK(found);
	if (dir)
		closedir(dir);
	CHECK_ERRNO(open("/proc/self/fd/77", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/self/absent", O_RDONLY), ENOENT);
	n = readlink("/proc/self/cwd", text, sizeof text - 1);
	CHECK(n > 0);
	text[n > 0 ? n : 0] = 0;
	char *here = getcwd(NULL, 0);
	CHECK_STR(text, here);
	free(here);
	return check_done();
}
