/* raise(SIGQUIT) without a handler ends the program by that signal.
 *
 * @status 131
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	puts("before");
	fflush(stdout);
	raise(SIGQUIT);
	puts("after");
	return 0;
}
