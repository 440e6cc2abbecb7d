/* Hard links, symbolic links and renames.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_OK(close(fd));
}

static const char *get(const char *path)
{
	static char text[64];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return text;
}

int main(void)
{
	struct stat a, b;
	char text[PATH_MAX];

	put("one", "1");
	CHECK_OK(link("one", "two"));
	CHECK_OK(stat("one", &a));
	CHECK_OK(stat("two", &b));
	CHECK(a.st_ino == b.st_ino && a.st_nlink == 2);
	CHECK_ERRNO(link("one", "two"), EEXIST);
	CHECK_ERRNO(link("absent", "three"), ENOENT);
	put("two", "shared");
	CHECK_STR(get("one"), "shared");
	CHECK_OK(unlink("one"));
	CHECK_OK(stat("two", &b));
	CHECK_EQ(b.st_nlink, 1);
	CHECK_ERRNO(unlink("one"), ENOENT);

	CHECK_OK(symlink("two", "sym"));
	CHECK_ERRNO(symlink("x", "sym"), EEXIST);
	CHECK_ERRNO(symlink("", "empty"), ENOENT);
	CHECK_EQ(readlink("sym", text, sizeof text), 3);
	CHECK(memcmp(text, "two", 3) == 0);
	CHECK_EQ(readlink("sym", text, 2), 2);
	CHECK_ERRNO(readlink("two", text, sizeof text), EINVAL);
	CHECK_ERRNO(readlink("absent", text, sizeof text), ENOENT);
	CHECK_OK(lstat("sym", &a));
	CHECK(S_ISLNK(a.st_mode) && a.st_size == 3);
	CHECK_OK(stat("sym", &a));
	CHECK(S_ISREG(a.st_mode));
	CHECK_OK(linkat(AT_FDCWD, "sym", AT_FDCWD, "hard-sym", 0));
	CHECK_OK(lstat("hard-sym", &a));
	CHECK(S_ISLNK(a.st_mode));
	CHECK_OK(linkat(AT_FDCWD, "sym", AT_FDCWD, "hard-two", AT_SYMLINK_FOLLOW));
	CHECK_OK(lstat("hard-two", &a));
	CHECK(S_ISREG(a.st_mode));

	/* A chain of links through directories. */
	CHECK_OK(mkdir("d1", 0755));
	CHECK_OK(mkdir("d1/d2", 0755));
	CHECK_OK(symlink("d1/d2", "to-d2"));
	put("to-d2/inside", "deep");
	CHECK_STR(get("d1/d2/inside"), "deep");
	CHECK_OK(symlink("../../two", "d1/d2/up"));
	CHECK_STR(get("to-d2/up"), "shared");
	CHECK_OK(symlink("to-d2/up", "chain"));
	CHECK_STR(get("chain"), "shared");
	CHECK_OK(symlink("nowhere", "dangling"));
	CHECK_ERRNO(stat("dangling", &a), ENOENT);
	CHECK_OK(lstat("dangling", &a));
	CHECK_ERRNO(open("dangling/", O_RDONLY), ENOENT);
	for (int i = 0; i < 45; i++) {
		char from[16], to[16];
		snprintf(from, sizeof from, "n%d", i);
		snprintf(to, sizeof to, i ? "n%d" : "two", i - 1);
		CHECK_OK(symlink(to, from));
	}
	CHECK_STR(get("n39"), "shared");
	CHECK_ERRNO(open("n44", O_RDONLY), ELOOP);

	put("a", "A");
	put("b", "B");
	CHECK_OK(rename("a", "b"));
	CHECK_STR(get("b"), "A");
	CHECK_ERRNO(stat("a", &a), ENOENT);
	CHECK_ERRNO(rename("a", "c"), ENOENT);
	CHECK_OK(mkdir("empty", 0755));
	CHECK_OK(mkdir("full", 0755));
	put("full/x", "x");
	CHECK_ERRNO(rename("b", "empty"), EISDIR);
	CHECK_ERRNO(rename("empty", "b"), ENOTDIR);
	errno = 0;
	CHECK(rename("empty", "full") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	CHECK_OK(rename("full", "empty"));
	CHECK_OK(access("empty/x", F_OK));
	CHECK_ERRNO(rename("empty", "empty/inside"), EINVAL);
	CHECK_OK(rename("b", "b"));
	put("c", "C");
	CHECK_ERRNO(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE), EEXIST);
	CHECK_OK(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_EXCHANGE));
	CHECK_STR(get("b"), "C");
	CHECK_STR(get("c"), "A");

	/* An open file outlives its name. */
	int fd = open("c", O_RDWR);
	CHECK_OK(unlink("c"));
	CHECK_EQ(pread(fd, text, 1, 0), 1);
	CHECK_OK(fstat(fd, &a));
	CHECK_EQ(a.st_nlink, 0);
	CHECK_OK(close(fd));
	return check_done();
}
