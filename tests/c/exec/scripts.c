/* Scripts: `#!` with the program itself as interpreter, arguments, chains and their limits.
 *
 * @in scratch
 */
#include <sys/stat.h>
#include "process.h"

extern char **environ;
static char *self;

static void script(const char *name, const char *format, const char *interpreter)
{
	FILE *out = fopen(name, "w");
	CHECK(out != NULL);
	fprintf(out, format, interpreter);
	CHECK_EQ(fclose(out), 0);
	CHECK_OK(chmod(name, 0755));
}

static void run(const char *name)
{
	printf("%s:\n", name);
	pid_t pid = start();
	if (pid == 0) {
		execl(name, "zeroth is lost", "first", "", "last", (char *)NULL);
		printf("  %s\n", strerrorname_np(errno));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		for (int i = 0; i < argc; i++)
			printf("  %d <%s>\n", i, strcmp(argv[i], getenv("SELF")) ? argv[i] : "interpreter");
		finish();
	}
	self = argv[0];
	CHECK_OK(setenv("SELF", self, 1));
	script("./plain", "#!%s\nbody\n", self);
	script("./blanks", "#! \t %s  \t \nbody\n", self);
	script("./argument", "#!%s one argument  with blanks \t\nbody\n", self);
	script("./short", "#!%s", self);
	script("./returns", "#!%s x\r\n", self);
	script("./second", "#!./argument\n", "");
	script("./third", "#!./second its own\n", "");
	script("./fourth", "#!./third\n", "");
	script("./fifth", "#!./fourth\n", "");
	script("./sixth", "#!./fifth\n", "");
	script("./seventh", "#!./sixth\n", "");
	static const char *const names[] = { "./plain", "./blanks", "./argument", "./short", "./returns", "./second", "./third", "./fourth",
					     "./fifth", "./sixth", "./seventh" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		run(names[i]);
	/* The line is read up to 255 bytes: an argument is cut there, a program's name may not be. */
	FILE *out = fopen("long", "w");
	fprintf(out, "#!%s %300s\n", self, "end");
	CHECK_EQ(fclose(out), 0);
	out = fopen("longer", "w");
	fprintf(out, "#!/%0300d\n", 7);
	CHECK_EQ(fclose(out), 0);
	CHECK_OK(chmod("longer", 0755));
	CHECK_ERRNO(execl("./longer", "x", (char *)NULL), ENOEXEC);
	/* Not for writers and not without the permission to execute. */
	CHECK_OK(chmod("./plain", 0644));
	CHECK_ERRNO(execl("./plain", "x", (char *)NULL), EACCES);
	return check_done();
}
