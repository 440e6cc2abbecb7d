/* raise(SIGUSR1) without a handler ends the program by that signal.
 *
 * @status 138
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	puts("before");
	fflush(stdout);
	raise(SIGUSR1);
	puts("after");
	return 0;
}
