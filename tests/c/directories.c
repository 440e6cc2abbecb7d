/* Making, listing and removing directories.
 *
 * @in scratch
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Prints the names and types in a directory, sorted. */
static void list(const char *path)
{
	char *names[64];
	int count = 0;
	DIR *dir = opendir(path);
	CHECK(dir != NULL);
	for (struct dirent *e; (e = readdir(dir));) {
		char *text;
		const char *type = e->d_type == DT_DIR ? "/" : e->d_type == DT_LNK ? "@" : e->d_type == DT_REG ? "" : "?";
		CHECK(e->d_ino != 0);
		CHECK(asprintf(&text, "%s%s", e->d_name, type) > 0);
		names[count++] = text;
	}
	CHECK_OK(closedir(dir));
	qsort(names, (size_t)count, sizeof *names, compare);
	printf("%s:", path);
	for (int i = 0; i < count; i++) {
		printf(" %s", names[i]);
		free(names[i]);
	}
	putchar('\n');
}

static void positions(void)
{
	char first[256], again[256];
	DIR *dir = opendir("many");
	int count = 0;
	struct dirent *e;
	while ((e = readdir(dir)))
		count++;
	CHECK_EQ(count, 302);
	rewinddir(dir);
	long place = 0;
	for (int i = 0; i < 150; i++)
		CHECK(readdir(dir) != NULL);
	place = telldir(dir);
	strcpy(first, readdir(dir)->d_name);
	while (readdir(dir))
		;
	seekdir(dir, place);
	strcpy(again, readdir(dir)->d_name);
	CHECK_STR(again, first);
	CHECK(dirfd(dir) > 2);
	CHECK(faccessat(dirfd(dir), "file-000", F_OK, 0) == 0);
	CHECK_OK(closedir(dir));
	dir = fdopendir(open("many", O_RDONLY | O_DIRECTORY));
	CHECK(dir != NULL && readdir(dir) != NULL);
	CHECK_OK(closedir(dir));
	CHECK(fdopendir(77) == NULL && errno == EBADF);
	CHECK(opendir("absent") == NULL && errno == ENOENT);
	CHECK(opendir("tree/file") == NULL && errno == ENOTDIR);
}

static void working_directory(void)
{
	char top[PATH_MAX], here[PATH_MAX], small[2];
	CHECK(getcwd(top, sizeof top) == top);
	CHECK_OK(chdir("tree/sub"));
	CHECK(getcwd(here, sizeof here) && strncmp(here, top, strlen(top)) == 0);
	CHECK_STR(here + strlen(top), "/tree/sub");
	CHECK(getcwd(small, sizeof small) == NULL && errno == ERANGE);
	CHECK_OK(access("../file", F_OK));
	CHECK_ERRNO(chdir("absent"), ENOENT);
	CHECK_ERRNO(chdir("../file"), ENOTDIR);
	int back = open(top, O_RDONLY | O_DIRECTORY);
	CHECK_OK(fchdir(back));
	CHECK_OK(close(back));
	char *allocated = get_current_dir_name();
	CHECK_STR(allocated, top);
	free(allocated);
	CHECK(realpath("tree/./sub/../file", here) == here);
	CHECK_STR(here + strlen(top), "/tree/file");
	CHECK(realpath("absent/x", NULL) == NULL && errno == ENOENT);
	/* A removed working directory has no name any more. */
	CHECK_OK(mkdir("gone", 0755));
	CHECK_OK(chdir("gone"));
	CHECK_OK(rmdir("../gone"));
	CHECK(getcwd(here, sizeof here) == NULL && errno == ENOENT);
	CHECK_ERRNO(open("x", O_CREAT | O_WRONLY, 0644), ENOENT);
	CHECK_OK(chdir(top));
}

int main(void)
{
	char name[32];
	CHECK_OK(mkdir("tree", 0755));
	CHECK_OK(mkdir("tree/sub", 0755));
	CHECK_ERRNO(mkdir("tree", 0755), EEXIST);
	CHECK_ERRNO(mkdir("absent/x", 0755), ENOENT);
	CHECK_OK(close(creat("tree/file", 0644)));
	CHECK_ERRNO(mkdir("tree/file/x", 0755), ENOTDIR);
	CHECK_OK(symlink("file", "tree/link"));
	list("tree");
	CHECK_OK(mkdir("many", 0755));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "many/file-%03d", i);
		CHECK_OK(close(creat(name, 0644)));
	}
	positions();
	working_directory();

	CHECK_ERRNO(rmdir("tree"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("tree/file"), ENOTDIR);
	CHECK_ERRNO(rmdir("absent"), ENOENT);
	CHECK_ERRNO(rmdir("tree/sub/."), EINVAL);
	CHECK_ERRNO(unlink("tree/sub"), EISDIR);
	CHECK_OK(rmdir("tree/sub"));
	CHECK_OK(unlinkat(AT_FDCWD, "tree/link", 0));
	CHECK_ERRNO(unlinkat(AT_FDCWD, "tree/file", AT_REMOVEDIR), ENOTDIR);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "tree/file", 0x4000), EINVAL);
	int dir = open("tree", O_RDONLY);
	CHECK_OK(mkdirat(dir, "made", 0700));
	CHECK_OK(unlinkat(dir, "made", AT_REMOVEDIR));
	CHECK_OK(unlinkat(dir, "file", 0));
	CHECK_OK(close(dir));
	list("tree");
	CHECK_OK(rmdir("tree"));
	return check_done();
}
