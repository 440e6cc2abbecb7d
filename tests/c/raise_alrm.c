/* raise(SIGALRM) without a handler ends the program by that signal.
 *
 * @status 142
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	puts("before");
	fflush(stdout);
	raise(SIGALRM);
	puts("after");
	return 0;
}
