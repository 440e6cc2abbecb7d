/* PR_SET_NAME: a child inherits the name, exec gives the file's. */
#include <sys/prctl.h>
#include "process.h"

static const char *self;

static void named(void)
{
	char name[16];
	CHECK_OK(prctl(PR_SET_NAME, "parent's name"));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(prctl(PR_GET_NAME, name));
		CHECK_STR(name, "parent's name");
		CHECK_OK(prctl(PR_SET_NAME, "child's"));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(prctl(PR_GET_NAME, name));
	CHECK_STR(name, "parent's name");
	CHECK_ERRNO(prctl(PR_SET_NAME, (char *)16), EFAULT);
	fflush(stdout);
	execl(self, "called otherwise", "again", (char *)NULL);
	CHECK(!"exec");
}

int main(int argc, char **argv)
{
	char name[16];
	(void)argv;
	if (argc > 1) {
		CHECK_OK(prctl(PR_GET_NAME, name));
		CHECK_STR(name, "names");
		finish();
	}
	self = argv[0];
	CHECK_EQ(in_child(named), 0);
	return check_done();
}
