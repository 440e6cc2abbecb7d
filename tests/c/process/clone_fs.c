/* CLONE_FS: working directory and umask in common, or a copy of them.
 *
 * @in scratch
 */
#include <sys/stat.h>
#include "clone.h"

static char place[4096], home[4096];

static int moves(void *argument)
{
	(void)argument;
	umask(027);
	return chdir("sub") != 0;
}

static int moves_alone(void *argument)
{
	return unshare(CLONE_FS) != 0 ? 2 : moves(argument);
}

int main(void)
{
	CHECK_OK(mkdir("sub", 0755));
	CHECK(getcwd(home, sizeof home) != NULL);
	umask(022);
	CHECK_EQ(ended(clone_with(SIGCHLD, moves, NULL)), 0);
	CHECK_STR(getcwd(place, sizeof place), home);
	CHECK_EQ(umask(022), 022);

	/* Sharing memory is another matter. */
	CHECK_EQ(ended(clone_with(CLONE_VM | SIGCHLD, moves, NULL)), 0);
	CHECK_STR(getcwd(place, sizeof place), home);
	CHECK_EQ(umask(022), 022);

	CHECK_EQ(ended(clone_with(CLONE_FS | SIGCHLD, moves_alone, NULL)), 0);
	CHECK_STR(getcwd(place, sizeof place), home);
	CHECK_EQ(umask(022), 022);

	CHECK_EQ(ended(clone_with(CLONE_FS | SIGCHLD, moves, NULL)), 0);
	CHECK(getcwd(place, sizeof place) != NULL);
	CHECK_STR(place + strlen(home), "/sub");
	CHECK_EQ(umask(022), 027);
	return check_done();
}
