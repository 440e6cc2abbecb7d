/* raise(SIGKILL) without a handler ends the program by that signal.
 *
 * @status 137
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	puts("before");
	fflush(stdout);
	raise(SIGKILL);
	puts("after");
	return 0;
}
