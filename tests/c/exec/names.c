/* What a process is called: its name and /proc/self/exe after execve(2) of a program, a link to it and a script; and when
 * the program's file is renamed or removed.
 *
 * @in scratch
 */
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include "process.h"

static char *self;

/* The last part of a path. */
static const char *last(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static const char *exe(void)
{
	static char text[4200];
	ssize_t n = readlink("/proc/self/exe", text, sizeof text - 1);
	CHECK(n > 0);
	text[n > 0 ? n : 0] = 0;
	CHECK_EQ(text[0], '/');
	return last(text);
}

static const char *name(void)
{
	static char text[17];
	CHECK_OK(prctl(PR_GET_NAME, text));
	return text;
}

static void copy(const char *to)
{
	char block[65536];
	ssize_t n;
	int in = open(self, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
	CHECK(in >= 0 && out >= 0);
	while ((n = read(in, block, sizeof block)) > 0)
		CHECK_EQ(write(out, block, (size_t)n), n);
	CHECK_OK(close(in));
	CHECK_OK(close(out));
}

static void run(const char *path, const char *what)
{
	pid_t pid = start();
	if (pid == 0) {
		execl(path, "zeroth", what, (char *)NULL);
		printf("%s\n", strerrorname_np(errno));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
}

/* What a program that was executed says of itself. */
static int image(const char *what)
{
	printf("%s: %s, %s, %s\n", what, name(), exe(), (char *)getauxval(AT_EXECFN));
	if (strcmp(what, "moved") == 0) {
		CHECK_OK(rename("program", "renamed"));
		printf("  %s\n", exe());
		CHECK_OK(unlink("renamed"));
		printf("  %s\n", exe());
		/* It still leads to the file. */
		struct stat stat_of;
		CHECK_OK(stat("/proc/self/exe", &stat_of));
		CHECK_EQ(stat_of.st_nlink, 0);
		CHECK_ERRNO(open("/proc/self/exe", O_WRONLY), ETXTBSY);
		fflush(stdout);
		execl("/proc/self/exe", "zeroth", "again", (char *)NULL);
		CHECK_EQ(0, errno);
	}
	return check_done();
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		return image(argv[argc - 1]);
	copy("program");
	CHECK_OK(symlink("program", "link"));
	CHECK_OK(symlink("link", "a name that is longer than it may be"));
	FILE *out = fopen("script", "w");
	fprintf(out, "#!./link\n");
	CHECK_EQ(fclose(out), 0);
	CHECK_OK(chmod("script", 0755));
	CHECK_OK(mkdir("dir", 0755));

	run("./program", "a program");
	run("program", "without a slash");
	run("dir/../program", "through a directory");
	run("./link", "a link");
	run("./a name that is longer than it may be", "a long name");
	run("./script", "a script");
	run("./program", "moved");
	return check_done();
}
