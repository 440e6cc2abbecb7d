/* A failed assertion says what failed and where, then aborts.
 *
 * @status 134
 */
#include <assert.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	(void)argv;
	puts("before");
	fflush(stdout);
	assert(argc == 1);
	assert(argc == 2 && "two is asked for");
	puts("after");
	return 0;
}
