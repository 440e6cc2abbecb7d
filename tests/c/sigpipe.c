/* Writing to a pipe that nobody reads kills the program: 128 + SIGPIPE.
 *
 * @status 141
 */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	int p[2];
	if (pipe(p) != 0 || close(p[0]) != 0)
		return 1;
	puts("before");
	fflush(stdout);
	write(p[1], "x", 1);
	puts("after");
	return 0;
}
