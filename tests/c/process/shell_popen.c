/* popen and pclose, both directions, several at once. The program is its own /bin/sh.
 *
 * @in chroot
 */
#include "shell.h"

int main(int argc, char **argv)
{
	char line[100];
	if (is_shell(argv))
		return shell(argc, argv);
	install_shell(argv[0]);
	FILE *in = popen("echo one; echo two; exit 5", "r");
	CHECK(in != NULL);
	CHECK(fgets(line, sizeof line, in) != NULL);
	CHECK_STR(line, "one\n");
	CHECK(fgets(line, sizeof line, in) != NULL);
	CHECK_STR(line, "two\n");
	CHECK(fgets(line, sizeof line, in) == NULL && feof(in));
	CHECK_EQ(shell_status(pclose(in)), 5);

	FILE *out = popen("count", "w");
	CHECK(out != NULL);
	for (int i = 0; i < 1000; i++)
		fprintf(out, "line %d\n", i);
	fflush(stdout);
	CHECK_EQ(pclose(out), 0);

	/* Streams of earlier calls are not open in later children: closing the first ends its child. */
	FILE *first = popen("count", "w"), *second = popen("copy", "w");
	fputs("a\nb\n", first);
	fflush(stdout);
	CHECK_EQ(pclose(first), 0);
	fputs("copied\n", second);
	CHECK_EQ(pclose(second), 0);

	in = popen("unknown", "re");
	CHECK_EQ(fcntl(fileno(in), F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fgetc(in), EOF);
	CHECK_EQ(shell_status(pclose(in)), 127);
	in = popen("kill 9", "r");
	CHECK_EQ(fcntl(fileno(in), F_GETFD), 0);
	CHECK_EQ(fgetc(in), EOF);
	CHECK_EQ(shell_status(pclose(in)), 137);
	/* The reader goes first: the writer's end is SIGPIPE or comes before. */
	in = popen("echo x; echo y", "r");
	CHECK(fgets(line, sizeof line, in) != NULL);
	CHECK_STR(line, "x\n");
	CHECK(pclose(in) >= 0);

	CHECK(popen("echo", "x") == NULL && errno == EINVAL);
	CHECK(popen("echo", "rw") == NULL && errno == EINVAL);
	CHECK_ERRNO(wait(NULL), ECHILD);
	/* Somebody else has waited. */
	in = popen("exit 1", "r");
	CHECK(wait(NULL) > 0);
	CHECK_ERRNO(pclose(in), ECHILD);
	return check_done();
}
