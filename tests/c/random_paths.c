/* Thousands of random operations on a small tree of files, directories and links: every result and errno is as natively.
 *
 * @in chroot
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static uint32_t state = 2026;

static uint32_t below(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

/* A path of one to four parts, sometimes absolute, sometimes with a slash at the end. */
static const char *path(char *text)
{
	static const char *const parts[] = { "a", "b", "c", "d", "e", ".", "..", "d", "e" };
	uint32_t count = 1 + below(4);
	text[0] = 0;
	if (below(4) == 0)
		strcpy(text, "/w/");
	for (uint32_t i = 0; i < count; i++) {
		strcat(text, parts[below(9)]);
		if (i + 1 < count || below(12) == 0)
			strcat(text, below(20) ? "/" : "//");
	}
	return text;
}

static void say(int step, const char *what, const char *a, const char *b, long result)
{
	int error = errno;
	printf("%d %s %s %s: %ld %s\n", step, what, a, b, result, result < 0 ? strerrorname_np(error) : "");
}

/* What the sandbox puts into every root has longer names. */
static int of_the_test(const struct dirent *e)
{
	return strlen(e->d_name) <= 2;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(int step, const char *where)
{
	struct dirent **entries;
	int n = scandir(where, &entries, of_the_test, by_name);
	say(step, "list", where, "", n);
	for (int i = 0; i < n; i++) {
		printf(" %s:%d", entries[i]->d_name, entries[i]->d_type);
		free(entries[i]);
	}
	if (n > 0) {
		putchar('\n');
		free(entries);
	}
}

static void look(int step, const char *where, int flags)
{
	struct stat st;
	long result = fstatat(AT_FDCWD, where, &st, flags);
	say(step, flags ? "lstat" : "stat", where, "", result);
	if (result == 0 && !S_ISDIR(st.st_mode))
		printf(" %o %lld %lu\n", st.st_mode, (long long)st.st_size, (unsigned long)st.st_nlink);
}

static void touch(int step, const char *where)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR | O_CREAT, O_WRONLY | O_CREAT | O_EXCL, O_RDWR | O_TRUNC,
		O_WRONLY | O_APPEND | O_CREAT, O_RDONLY | O_DIRECTORY, O_RDONLY | O_NOFOLLOW, O_PATH, O_WRONLY | O_CREAT | O_NOFOLLOW,
		O_RDONLY | O_CREAT, O_PATH | O_NOFOLLOW, O_RDONLY | O_CREAT | O_DIRECTORY };
	uint32_t which = below(12);
	char text[16] = "";
	int fd = open(where, flags[which], 0600);
	snprintf(text, sizeof text, "%u", which);
	say(step, "open", where, text, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	say(step, " read", "", "", read(fd, text, 4));
	say(step, " write", "", "", write(fd, "some", below(5)));
	say(step, " seek", "", "", lseek(fd, 0, SEEK_CUR));
	close(fd);
}

int main(void)
{
	char a[128], b[128], target[128];
	umask(022);
	mkdir("/w", 0755);
	if (chdir("/w") < 0)
		return 1;
	for (int step = 0; step < 12000; step++) {
		path(a);
		path(b);
		switch (below(18)) {
		case 0: case 1: say(step, "mkdir", a, "", mkdir(a, 0755)); break;
		case 2: say(step, "rmdir", a, "", rmdir(a)); break;
		case 3: say(step, "unlink", a, "", unlink(a)); break;
		case 4: case 5: say(step, "rename", a, b, rename(a, b)); break;
		case 6: say(step, "link", a, b, link(a, b)); break;
		case 7: say(step, "symlink", a, b, symlink(a, b)); break;
		case 8: {
			ssize_t n = readlink(a, target, sizeof target - 1);
			target[n < 0 ? 0 : n] = 0;
			say(step, "readlink", a, target, n);
			break;
		}
		case 9: look(step, a, 0); break;
		case 10: look(step, a, AT_SYMLINK_NOFOLLOW); break;
		case 11: list(step, a); break;
		case 12: say(step, "truncate", a, "", truncate(a, below(100))); break;
		case 13: say(step, "access", a, "", access(a, F_OK)); break;
		case 14:
			/* Now and then elsewhere, always back. */
			if (chdir(a) == 0) {
				touch(step, b);
				list(step, ".");
				say(step, "back", "", "", chdir("/w"));
			} else {
				say(step, "chdir", a, "", -1);
			}
			break;
		default: touch(step, a);
		}
	}
	return 0;
}
