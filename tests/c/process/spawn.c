/* posix_spawn and posix_spawnp: arguments, environment, errors, file actions.
 *
 * @in scratch
 */
#include <spawn.h>
#include <sys/stat.h>
#include "process.h"

extern char **environ;
static char *self;

static int child(int argc, char **argv)
{
	if (!strcmp(argv[1], "show")) {
		for (int i = 0; i < argc; i++)
			printf("%d <%s>\n", i, i ? argv[i] : "self");
		for (char **e = environ; *e; e++)
			printf("env <%s>\n", *e);
	} else if (!strcmp(argv[1], "copy")) {
		char line[100];
		while (fgets(line, sizeof line, stdin))
			fputs(line, stdout);
	} else if (!strcmp(argv[1], "open")) {
		/* Which of the first descriptors are open? */
		char seen[21] = "";
		for (int fd = 0; fd < 20; fd++)
			seen[fd] = fcntl(fd, F_GETFD) == 0 ? 'o' : '.';
		puts(seen);
	} else if (!strcmp(argv[1], "here")) {
		return access("marker", F_OK) == 0 ? 12 : 13;
	}
	return argc;
}

static int spawned(const posix_spawn_file_actions_t *actions, char *what, int expected)
{
	char *args[] = { "argv0", what, NULL };
	pid_t pid = -1;
	fflush(stdout);
	int error = posix_spawn(&pid, self, actions, NULL, args, environ);
	CHECK_EQ(error, expected);
	return error ? -error : ended(pid);
}

static void arguments(void)
{
	pid_t pid;
	char *args[] = { "other name", "show", "", "two words", "\xff\x01", NULL }, *env[] = { "A=1", "B=", "no equals sign", NULL };
	fflush(stdout);
	CHECK_EQ(posix_spawn(&pid, self, NULL, NULL, args, env), 0);
	CHECK_EQ(ended(pid), 5);
	char *none[] = { NULL };
	CHECK_EQ(posix_spawn(&pid, self, NULL, NULL, args, none), 0);
	CHECK_EQ(ended(pid), 5);
	CHECK_EQ(posix_spawn(NULL, self, NULL, NULL, args, none), 0);
	int status;
	CHECK(wait(&status) > 0);
	CHECK_EQ(shell_status(status), 5);
}

static void errors(void)
{
	char *args[] = { "x", NULL };
	pid_t pid = -7;
	CHECK_EQ(posix_spawn(&pid, "nothing", NULL, NULL, args, environ), ENOENT);
	CHECK_EQ(posix_spawnp(&pid, "nothing", NULL, NULL, args, environ), ENOENT);
	int file = open("plain", O_WRONLY | O_CREAT, 0644);
	CHECK_EQ(posix_spawn(&pid, "plain", NULL, NULL, args, environ), EACCES);
	CHECK_EQ(posix_spawn(&pid, "plain/x", NULL, NULL, args, environ), ENOTDIR);
	CHECK_EQ(posix_spawn(&pid, ".", NULL, NULL, args, environ), EACCES);
	CHECK_OK(fchmod(file, 0755));
	CHECK_EQ(write(file, "garbage", 7), 7);
	CHECK_OK(close(file));
	CHECK_EQ(posix_spawn(&pid, "plain", NULL, NULL, args, environ), ENOEXEC);
	/* No child is left of any of them. */
	CHECK_ERRNO(wait(NULL), ECHILD);
}

static void actions(void)
{
	posix_spawn_file_actions_t a;
	char text[64] = "";
	CHECK_EQ(posix_spawn_file_actions_init(&a), 0);
	int in = open("in", O_RDWR | O_CREAT, 0644);
	CHECK_EQ(write(in, "line 1\nline 2\n", 14), 14);
	CHECK_OK(close(in));
	CHECK_EQ(posix_spawn_file_actions_addopen(&a, 0, "in", O_RDONLY, 0), 0);
	CHECK_EQ(posix_spawn_file_actions_addopen(&a, 5, "out", O_WRONLY | O_CREAT | O_EXCL, 0640), 0);
	CHECK_EQ(posix_spawn_file_actions_adddup2(&a, 5, 1), 0);
	CHECK_EQ(posix_spawn_file_actions_addclose(&a, 5), 0);
	CHECK_EQ(spawned(&a, "copy", 0), 2);
	int out = open("out", O_RDONLY);
	CHECK_EQ(read(out, text, sizeof text), 14);
	CHECK_STR(text, "line 1\nline 2\n");
	CHECK_OK(close(out));
	/* An action that fails: no child, its error. */
	CHECK_EQ(spawned(&a, "copy", EEXIST), -EEXIST);
	CHECK_ERRNO(wait(NULL), ECHILD);
	CHECK_EQ(posix_spawn_file_actions_destroy(&a), 0);

	CHECK_EQ(posix_spawn_file_actions_init(&a), 0);
	CHECK_EQ(posix_spawn_file_actions_adddup2(&a, 13, 14), 0);
	CHECK_EQ(spawned(&a, "open", EBADF), -EBADF);
	CHECK_EQ(posix_spawn_file_actions_addclose(&a, -1), EBADF);
	CHECK_EQ(posix_spawn_file_actions_adddup2(&a, -1, 2), EBADF);
	CHECK_EQ(posix_spawn_file_actions_destroy(&a), 0);

	/* close-on-exec goes for what is not passed on; a dup2 onto itself passes it on; closing a closed one is no error. */
	CHECK_EQ(posix_spawn_file_actions_init(&a), 0);
	int kept = fcntl(0, F_DUPFD_CLOEXEC, 10), dropped = fcntl(0, F_DUPFD_CLOEXEC, 11);
	CHECK_EQ(kept * 100 + dropped, 1011);
	CHECK_EQ(posix_spawn_file_actions_adddup2(&a, 10, 10), 0);
	CHECK_EQ(posix_spawn_file_actions_addclose(&a, 17), 0);
	CHECK_EQ(spawned(&a, "open", 0), 2);
	CHECK_EQ(posix_spawn_file_actions_addclosefrom_np(&a, 3), 0);
	CHECK_EQ(spawned(&a, "open", 0), 2);
	CHECK_EQ(posix_spawn_file_actions_destroy(&a), 0);

	CHECK_EQ(posix_spawn_file_actions_init(&a), 0);
	CHECK_OK(mkdir("sub", 0755));
	CHECK_OK(close(open("sub/marker", O_WRONLY | O_CREAT, 0644)));
	CHECK_EQ(spawned(&a, "here", 0), 13);
	CHECK_EQ(posix_spawn_file_actions_addchdir_np(&a, "sub"), 0);
	CHECK_EQ(spawned(&a, "here", 0), 12);
	CHECK_EQ(posix_spawn_file_actions_destroy(&a), 0);
	CHECK_EQ(posix_spawn_file_actions_init(&a), 0);
	int sub = open("sub", O_RDONLY | O_DIRECTORY);
	CHECK_EQ(posix_spawn_file_actions_addfchdir_np(&a, sub), 0);
	CHECK_EQ(spawned(&a, "here", 0), 12);
	CHECK_EQ(posix_spawn_file_actions_destroy(&a), 0);
	CHECK_ERRNO(access("marker", F_OK), ENOENT);
}

static void path(void)
{
	char *args[] = { "p", "one", NULL };
	pid_t pid;
	CHECK_OK(mkdir("bin", 0755));
	CHECK_OK(symlink(self, "bin/found"));
	CHECK_OK(setenv("PATH", "/nonexistent:bin", 1));
	CHECK_EQ(posix_spawnp(&pid, "found", NULL, NULL, args, environ), 0);
	CHECK_EQ(ended(pid), 2);
	CHECK_EQ(posix_spawnp(&pid, "bin/found", NULL, NULL, args, environ), 0);
	CHECK_EQ(ended(pid), 2);
	CHECK_EQ(posix_spawn(&pid, "found", NULL, NULL, args, environ), ENOENT);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child(argc, argv);
	self = argv[0];
	closefrom(3);
	arguments();
	errors();
	actions();
	path();
	return check_done();
}
