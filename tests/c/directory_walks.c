/* nftw, fts, glob, scandir and wordexp-free pattern matching over one tree.
 *
 * @in scratch
 */
#include <dirent.h>
#include <fnmatch.h>
#include <ftw.h>
#include <fts.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static char *seen[32];
static int count;

static int order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_seen(const char *title)
{
	qsort(seen, (size_t)count, sizeof *seen, order);
	printf("%s\n", title);
	for (int i = 0; i < count; i++) {
		printf("  %s\n", seen[i]);
		free(seen[i]);
	}
	count = 0;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *place)
{
	static const char *const names[] = { "file", "dir", "unreadable", "unknown", "dir after", "link", "dangling" };
	(void)st;
	CHECK(asprintf(&seen[count++], "%s [%s] level %d base %d", path, names[type], place->level, place->base) > 0);
	return 0;
}

static int visit3(const char *path, const struct stat *st, int type)
{
	CHECK(asprintf(&seen[count++], "%s %d %d", path, type == FTW_D, S_ISREG(st->st_mode) ? (int)st->st_size : -1) > 0);
	return strcmp(path, "tree/stop") == 0 ? 7 : 0;
}

static int hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void touch(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

int main(void)
{
	mkdir("tree", 0755);
	mkdir("tree/a", 0755);
	mkdir("tree/a/b", 0755);
	mkdir("tree/c", 0755);
	touch("tree/one.c", "1");
	touch("tree/two.c", "22");
	touch("tree/a/three.h", "333");
	touch("tree/a/b/.hidden", "");
	CHECK_OK(symlink("one.c", "tree/link"));
	CHECK_OK(symlink("nowhere", "tree/c/dangling"));

	CHECK_EQ(nftw("tree", visit, 4, FTW_PHYS), 0);
	print_seen("nftw, physical");
	CHECK_EQ(nftw("tree", visit, 4, FTW_DEPTH), 0);
	print_seen("nftw, depth first, following");
	CHECK_EQ(ftw("tree", visit3, 4), 0);
	print_seen("ftw");
	CHECK_EQ(nftw("absent", visit, 4, 0), -1);

	char *roots[] = { "tree", NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	for (FTSENT *e; (e = fts_read(fts));)
		CHECK(asprintf(&seen[count++], "%s %d level %d", e->fts_path, e->fts_info, e->fts_level) > 0);
	fts_close(fts);
	print_seen("fts");

	glob_t g;
	CHECK_EQ(glob("tree/*.c", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++)
		printf("glob %s\n", g.gl_pathv[i]);
	globfree(&g);
	CHECK_EQ(glob("tree/{a,c}/*", GLOB_BRACE | GLOB_MARK, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++)
		printf("glob %s\n", g.gl_pathv[i]);
	globfree(&g);
	CHECK_EQ(glob("tree/*.none", 0, NULL, &g), GLOB_NOMATCH);

	struct dirent **entries;
	int n = scandir("tree", &entries, hidden, alphasort);
	CHECK_EQ(n, 5);
	for (int i = 0; i < n; i++) {
		printf("scandir %s\n", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	CHECK_EQ(scandir("absent", &entries, NULL, alphasort), -1);
	CHECK_EQ(fnmatch("*.[ch]", "x.c", 0), 0);
	CHECK_EQ(fnmatch("*.[ch]", "x.o", 0), FNM_NOMATCH);
	CHECK_EQ(fnmatch("a*", "a/b", FNM_PATHNAME), FNM_NOMATCH);
	return check_done();
}
