/* raise(SIGQUIT) without a handler ends the program by that signal.
 *
 * @status 131
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	/* Where the tests run in the background, the signal is ignored from the start. */
	signal(SIGQUIT, SIG_DFL);
	puts("before");
	fflush(stdout);
	raise(SIGQUIT);
	puts("after");
	return 0;
}
