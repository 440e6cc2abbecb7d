/* raise(SIGINT) without a handler ends the program by that signal.
 *
 * @status 130
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	/* Where the tests run in the background, the signal is ignored from the start. */
	signal(SIGINT, SIG_DFL);
	puts("before");
	fflush(stdout);
	raise(SIGINT);
	puts("after");
	return 0;
}
