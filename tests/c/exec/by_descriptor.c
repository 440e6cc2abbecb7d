/* fexecve and execveat: by descriptor, relative to one, without following links.
 *
 * @in scratch
 */
#include <sys/stat.h>
#include "process.h"

extern char **environ;
static char *args[] = { "name", "image", NULL };
static char *self;

static int image(char **argv)
{
	CHECK_STR(argv[0], "name");
	CHECK_STR(getenv("GIVEN"), "yes");
	CHECK_EQ(check_failures, 0);
	return check_failures ? 99 : 40;
}

#define RUNS(call)                                      \
	do {                                            \
		pid_t pid = start();                    \
		if (pid == 0) {                         \
			call;                           \
			printf("%s\n", strerrorname_np(errno)); \
			finish();                       \
		}                                       \
		CHECK_EQ(ended(pid), 40);               \
	} while (0)

int main(int argc, char **argv)
{
	if (argc > 1)
		return image(argv);
	self = argv[0];
	CHECK_OK(setenv("GIVEN", "yes", 1));
	int program = open(self, O_RDONLY), kept = open(self, O_RDONLY | O_CLOEXEC), path = open(self, O_PATH);
	CHECK(program >= 0 && kept >= 0 && path >= 0);
	RUNS(fexecve(program, args, environ));
	RUNS(fexecve(kept, args, environ));
	RUNS(execveat(path, "", args, environ, AT_EMPTY_PATH));
	RUNS(execveat(AT_FDCWD, self, args, environ, 0));
	RUNS(execveat(-5, self, args, environ, 0));
	/* The offset of the descriptor does not matter. */
	CHECK_OK(lseek(program, 100, SEEK_SET));
	RUNS(fexecve(program, args, environ));

	CHECK_OK(mkdir("dir", 0755));
	CHECK_OK(symlink(self, "dir/link"));
	int dir = open("dir", O_RDONLY | O_DIRECTORY);
	RUNS(execveat(dir, "link", args, environ, 0));
	CHECK_ERRNO(execveat(dir, "link", args, environ, AT_SYMLINK_NOFOLLOW), ELOOP);
	CHECK_ERRNO(execveat(dir, "missing", args, environ, 0), ENOENT);
	CHECK_ERRNO(execveat(dir, "", args, environ, 0), ENOENT);
	CHECK_ERRNO(execveat(dir, "", args, environ, AT_EMPTY_PATH), EACCES);
	CHECK_ERRNO(execveat(-5, "link", args, environ, 0), EBADF);
	CHECK_ERRNO(execveat(program, "link", args, environ, 0), ENOTDIR);
	CHECK_ERRNO(execveat(dir, "link", args, environ, 0x40000), EINVAL);
	CHECK_ERRNO(fexecve(-1, args, environ), EINVAL);
	CHECK_ERRNO(fexecve(77, args, environ), EBADF);

	/* A script by descriptor: its interpreter must be able to open it. */
	int script = open("script", O_RDWR | O_CREAT, 0755);
	dprintf(script, "#!%s\n", self);
	CHECK_OK(close(script));
	script = open("script", O_RDONLY | O_CLOEXEC);
	CHECK_ERRNO(fexecve(script, args, environ), ENOENT);
	/* Removed files still run. */
	int copy = open("copy", O_RDWR | O_CREAT, 0755);
	char block[65536];
	ssize_t n;
	CHECK_OK(lseek(program, 0, SEEK_SET));
	while ((n = read(program, block, sizeof block)) > 0)
		CHECK_EQ(write(copy, block, (size_t)n), n);
	CHECK_OK(close(copy));
	copy = open("copy", O_RDONLY);
	CHECK_OK(unlink("copy"));
	RUNS(fexecve(copy, args, environ));
	return check_done();
}
