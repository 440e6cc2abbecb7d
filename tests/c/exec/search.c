/* execvp and its relatives: the search in PATH, what it skips, and text files that go to /bin/sh. The program is its own shell.
 *
 * @in chroot
 */
#include "../process/shell.h"

extern char **environ;

static void link_to(const char *self, const char *name)
{
	CHECK_OK(link(self, name));
}

#define RUNS(call, status)                              \
	do {                                            \
		pid_t pid = start();                    \
		if (pid == 0) {                         \
			call;                           \
			printf("%s\n", strerrorname_np(errno)); \
			finish();                       \
		}                                       \
		CHECK_EQ(ended(pid), status);           \
	} while (0)

int main(int argc, char **argv)
{
	if (is_shell(argv))
		return shell(argc, argv);
	if (argc > 1) {
		for (int i = 0; i < argc; i++)
			printf("  <%s>", argv[i]);
		printf(" %s\n", getenv("VAR") ? getenv("VAR") : "unset");
		fflush(stdout);
		return 10 + argc;
	}
	char *self = argv[0], *args[] = { "zero", "one", NULL }, *env[] = { "VAR=given", NULL };
	CHECK_OK(mkdir("/a", 0755));
	CHECK_OK(mkdir("/b", 0755));
	CHECK_OK(mkdir("/a/tool", 0755));
	link_to(self, "/b/tool");
	CHECK_OK(close(open("/a/locked", O_WRONLY | O_CREAT, 0644)));
	int text = open("/b/text", O_WRONLY | O_CREAT, 0755);
	CHECK_EQ(write(text, "echo not read\n", 14), 14);
	CHECK_OK(close(text));
	CHECK_OK(setenv("PATH", "/nowhere:/a:/b", 1));
	CHECK_OK(setenv("VAR", "own", 1));

	RUNS(execvp("tool", args), 12);
	RUNS(execlp("tool", "zero", "one", "two", (char *)NULL), 13);
	RUNS(execvpe("tool", args, env), 12);
	RUNS(execle("/b/tool", "zero", "one", (char *)NULL, env), 12);
	RUNS(execl("/b/tool", "zero", "one", (char *)NULL), 12);
	RUNS(execv("/b/tool", args), 12);
	/* Found, but not allowed: that is the error, unless a later one works. */
	CHECK_ERRNO(execvp("locked", args), EACCES);
	CHECK_ERRNO(execvp("missing", args), ENOENT);
	CHECK_ERRNO(execvp("", args), ENOENT);
	CHECK_ERRNO(execvp("a/missing", args), ENOENT);
	link_to(self, "/b/locked");
	RUNS(execvp("locked", args), 12);
	/* An empty part of PATH is the working directory; a name with a slash is not searched. */
	CHECK_OK(chdir("/b"));
	CHECK_OK(setenv("PATH", "/nowhere:", 1));
	RUNS(execvp("tool", args), 12);
	CHECK_ERRNO(execvp("b/tool", args), ENOENT);
	RUNS(execvp("../b/tool", args), 12);
	/* Without PATH: /bin:/usr/bin. */
	CHECK_OK(unsetenv("PATH"));
	CHECK_ERRNO(execvp("tool", args), ENOENT);

	CHECK_ERRNO(execv("/b/text", args), ENOEXEC);
	CHECK_ERRNO(execvp("/b/text", args), ENOENT);
	install_shell(self);
	RUNS(execvp("/b/text", args), 0);
	CHECK_OK(setenv("PATH", "/b", 1));
	RUNS(execlp("text", "zero", "one", "two", (char *)NULL), 0);
	return check_done();
}
