/* Arguments arrive exactly, empty and odd ones too; options that look like lind's belong to the program.
 *
 * @args one "two words" "" --dir /x --help -- "tab	inside" ünïcode --strace=open
 */
#include <getopt.h>
#include "check.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("%d [%s]\n", i, argv[i]);
	CHECK(argv[argc] == NULL);
	CHECK_STR(strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0], "arguments");
	CHECK_STR(program_invocation_short_name, "arguments");

	static const struct option options[] = { { "alpha", no_argument, NULL, 'a' }, { "beta", required_argument, NULL, 'b' }, { 0 } };
	char *list[] = { "prog", "-ax", "file", "--beta=5", "--alp", "-c", "7", "--", "-rest", NULL };
	int c;
	opterr = 0;
	while ((c = getopt_long(9, list, "axc:", options, NULL)) != -1)
		printf("option %c %s\n", c, optarg ? optarg : "-");
	for (int i = optind; i < 9; i++)
		printf("operand %s\n", list[i]);
	return check_done();
}
