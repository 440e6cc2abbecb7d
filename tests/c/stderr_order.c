/* Standard error is separate and unbuffered; perror and warn name the error.
 *
 * @compare stderr
 * @status 3
 */
#include <err.h>
#include <error.h>
#include <stdlib.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	program_invocation_name = program_invocation_short_name;
	fprintf(stderr, "one ");
	write(2, "two ", 4);
	fputs("three\n", stderr);
	errno = EACCES;
	perror("perror");
	errno = ENOENT;
	warn("warn %d", 1);
	warnx("warnx %d", 2);
	error(0, EPERM, "error %d", 3);
	printf("%s|%s|%s\n", strerror(EINTR), strerror(ENOSYS), strerror(12345));
	printf("%s %s\n", strerrorname_np(EAGAIN), strerrordesc_np(EAGAIN));
	puts("out");
	err(3, NULL);
}
