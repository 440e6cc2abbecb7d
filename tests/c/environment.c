/* The environment is a PATH, a HOME and what was given, nothing else; changes are seen at once.
 *
 * @env FIRST=1
 * @env EMPTY=
 * @env SPACED=a b=c
 */
#include <stdlib.h>
#include <unistd.h>
#include "check.h"

extern char **environ;

int main(int argc, char **argv, char **envp)
{
	int count = 0;
	(void)argc;
	(void)argv;
	CHECK(envp == environ);
	for (char **e = environ; *e; e++)
		count++;
	CHECK_EQ(count, 5);
	CHECK_STR(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin");
	CHECK_STR(getenv("HOME"), "/");
	CHECK_STR(getenv("FIRST"), "1");
	CHECK_STR(getenv("EMPTY"), "");
	CHECK_STR(getenv("SPACED"), "a b=c");
	CHECK(getenv("USER") == NULL);
	CHECK(getenv("FIRS") == NULL);
	CHECK_OK(setenv("NEW", "value", 0));
	CHECK_OK(setenv("NEW", "other", 0));
	CHECK_STR(getenv("NEW"), "value");
	CHECK_OK(setenv("NEW", "other", 1));
	CHECK_STR(getenv("NEW"), "other");
	CHECK_ERRNO(setenv("A=B", "x", 1), EINVAL);
	CHECK_ERRNO(setenv("", "x", 1), EINVAL);
	static char put[] = "PUT=in place";
	CHECK_OK(putenv(put));
	put[4] = 'I';
	CHECK_STR(getenv("PUT"), "In place");
	CHECK_OK(unsetenv("FIRST"));
	CHECK(getenv("FIRST") == NULL);
	CHECK_STR(secure_getenv("NEW"), "other");
	CHECK_OK(clearenv());
	CHECK(getenv("NEW") == NULL);
	return check_done();
}
