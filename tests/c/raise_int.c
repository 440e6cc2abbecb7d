/* raise(SIGINT) without a handler ends the program by that signal.
 *
 * @status 130
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	puts("before");
	fflush(stdout);
	raise(SIGINT);
	puts("after");
	return 0;
}
