/* fork in atexit handlers: the child has the handlers that are left, and both run them.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 * @status 3
 */
#include "process.h"

static const char *who = "parent";

static void first(void)
{
	printf("%s: first\n", who);
}

static void second(void)
{
	printf("%s: second\n", who);
	pid_t pid = start();
	if (pid == 0) {
		who = "child of second";
		return;
	}
	printf("status %d\n", ended(pid));
}

static void third(void)
{
	pid_t pid = start();
	if (pid == 0) {
		who = "child of third";
		/* exit inside of exit goes on with the handlers that are left. */
		exit(4);
	}
	printf("%s: third, status %d\n", who, ended(pid));
}

int main(void)
{
	atexit(first);
	atexit(second);
	atexit(third);
	return 3;
}
