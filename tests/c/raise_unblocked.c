/* A blocked signal kills when it is unblocked.
 *
 * @status 138
 */
#include <signal.h>
#include <stdio.h>

int main(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	puts("still here");
	fflush(stdout);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	puts("after");
	return 0;
}
