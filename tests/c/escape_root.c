/* Nothing outside a root directory can be reached, and the errors are those of a chroot.
 *
 * @in chroot
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static struct stat top;

/* The path leads to the root directory itself. */
static void stays(const char *path)
{
	struct stat st;
	CHECK_OK(stat(path, &st));
	if (st.st_ino != top.st_ino || st.st_dev != top.st_dev) {
		printf("%.60s left the root\n", path);
		check_failures++;
	}
}

int main(void)
{
	char path[PATH_MAX + 100], text[PATH_MAX];
	struct stat st;

	CHECK_OK(stat("/", &top));
	CHECK_OK(mkdir("/d", 0755));
	CHECK_OK(mkdir("/d/e", 0755));

	/* Up, from everywhere. */
	stays("/..");
	stays("/../../../..");
	stays("..");
	stays("../..");
	stays("/d/../..");
	stays("/d/e/../../../../../..");
	stays("d/./../d/..//../");
	CHECK_OK(chdir("/d/e"));
	stays("../../../../..");
	CHECK_OK(chdir(".."));
	CHECK_OK(chdir(".."));
	CHECK_OK(chdir(".."));
	CHECK(getcwd(text, sizeof text) != NULL);
	CHECK_STR(text, "/");
	CHECK_ERRNO(open("../../../../../../etc/passwd", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/../etc/passwd", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/etc/passwd", O_RDONLY), ENOENT);
	CHECK_ERRNO(mkdir("/..", 0755), EEXIST);
	errno = 0;
	CHECK(rmdir("/..") == -1 && (errno == EBUSY || errno == ENOTEMPTY));
	errno = 0;
	CHECK(rename("/d", "/..") == -1 && (errno == EBUSY || errno == ENOTEMPTY));

	/* Symbolic links: absolute, relative, to the parent of the root, through a directory outside. */
	CHECK_OK(symlink("/etc/passwd", "/absolute"));
	CHECK_OK(symlink("../../../../etc/passwd", "/d/relative"));
	CHECK_OK(symlink("..", "/up"));
	CHECK_OK(symlink("/", "/root"));
	CHECK_OK(symlink("/../../..", "/up-absolute"));
	CHECK_ERRNO(open("/absolute", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/d/relative", O_RDONLY), ENOENT);
	stays("/up");
	stays("/up/up/up");
	stays("/root/../up/root");
	stays("/up-absolute");
	CHECK_ERRNO(open("/up/etc/passwd", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/up-absolute/etc/passwd", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/up/absolute", O_RDONLY), ENOENT);
	/* Creating through a dangling link creates inside. */
	CHECK_OK(symlink("/../made", "/maker"));
	int fd = open("/maker", O_WRONLY | O_CREAT, 0600);
	CHECK_OK(fd);
	CHECK_OK(close(fd));
	CHECK_OK(lstat("/made", &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_ERRNO(open("/absolute", O_WRONLY | O_CREAT, 0600), ENOENT);
	CHECK_OK(link("/made", "/../linked"));
	CHECK_OK(lstat("/linked", &st));
	CHECK_OK(rename("/linked", "/up/renamed"));
	CHECK_OK(lstat("/renamed", &st));
	CHECK_OK(unlink("/../renamed"));
	CHECK_OK(truncate("/up-absolute/made", 3));
	CHECK_ERRNO(chmod("/absolute", 0777), ENOENT);

	/* Relative to a descriptor. */
	int root = open("/", O_RDONLY | O_DIRECTORY), deep = open("/d/e", O_RDONLY | O_DIRECTORY);
	CHECK_ERRNO(openat(root, "../etc/passwd", O_RDONLY), ENOENT);
	CHECK_ERRNO(openat(deep, "../../../etc/passwd", O_RDONLY), ENOENT);
	CHECK_OK(fstatat(root, "..", &st, 0));
	CHECK_EQ(st.st_ino, top.st_ino);
	CHECK_OK(fstatat(deep, "../../../../../", &st, 0));
	CHECK_EQ(st.st_ino, top.st_ino);
	CHECK_OK(fchdir(root));
	stays("../..");
	/* A directory that was moved while it is held: up still ends at the root. */
	CHECK_OK(rename("/d/e", "/moved"));
	CHECK_OK(fstatat(deep, "../..", &st, 0));
	CHECK_EQ(st.st_ino, top.st_ino);
	CHECK_OK(close(deep));
	CHECK_OK(close(root));

	/* Long ways. */
	path[0] = 0;
	for (int i = 0; i < 1300; i++)
		strcat(path, "../");
	stays(path);
	strcat(path, "etc/passwd");
	CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
	for (int i = 0; strlen(path) <= PATH_MAX; i++)
		strcat(path, "/..");
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	CHECK_ERRNO(open("/absolute/..", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/made/..", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("/made/../../etc/passwd", O_RDONLY), ENOTDIR);
	CHECK(realpath("/up/d/../root/made", text) != NULL);
	CHECK_STR(text, "/made");
	return check_done();
}
