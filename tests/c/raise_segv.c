/* raise(SIGSEGV) without a handler ends the program by that signal.
 *
 * @status 139
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	puts("before");
	fflush(stdout);
	raise(SIGSEGV);
	puts("after");
	return 0;
}
