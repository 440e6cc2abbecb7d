/* What stdio has not written yet at a fork is in both processes; what it has read ahead as well.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 * @stdin one\ntwo\nthree\n
 */
#include <stdio_ext.h>
#include "process.h"

int main(void)
{
	char line[20];
	printf("twice ");
	pid_t pid = fork();
	if (pid == 0) {
		printf("child\n");
		exit(0);
	}
	CHECK_EQ(ended(pid), 0);
	printf("parent\n");
	fflush(stdout);

	printf("once");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		printf(" child\n");
		exit(0);
	}
	CHECK_EQ(ended(pid), 0);
	printf(" parent\n");
	fflush(stdout);

	printf("lost by _exit: no; ");
	pid = fork();
	if (pid == 0) {
		printf("lost by _exit: yes\n");
		_exit(0);
	}
	CHECK_EQ(ended(pid), 0);
	printf("kept\n");

	CHECK(fgets(line, sizeof line, stdin) != NULL);
	CHECK_STR(line, "one\n");
	pid = start();
	if (pid == 0) {
		CHECK(fgets(line, sizeof line, stdin) != NULL);
		CHECK_STR(line, "two\n");
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK(fgets(line, sizeof line, stdin) != NULL);
	CHECK_STR(line, "two\n");
	/* A lock that the forking thread holds is held in the child, by its thread. */
	flockfile(stdout);
	pid = start();
	if (pid == 0) {
		puts("locked");
		funlockfile(stdout);
		finish();
	}
	funlockfile(stdout);
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
