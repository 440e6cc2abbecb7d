/* The sorted names in directories; a slash after directories, an arrow after links. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int list(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		return fprintf(stderr, "ls: %s: %s\n", path, strerror(errno)), 1;
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char full[4096], target[256] = "";
		struct stat st;
		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		snprintf(full, sizeof full, "%s/%s", path, name);
		if (lstat(full, &st) < 0)
			printf("%s: %s\n", name, strerror(errno));
		else if (S_ISLNK(st.st_mode) && readlink(full, target, sizeof target - 1) > 0)
			printf("%s -> %s\n", name, target);
		else
			printf("%s%s\n", name, S_ISDIR(st.st_mode) ? "/" : "");
	}
	return 0;
}

int main(int argc, char **argv)
{
	int status = 0;
	for (int i = 1; i < argc; i++)
		status |= list(argv[i]);
	return argc > 1 ? status : list(".");
}
