/* How many processes live at once: `PROGRAM MOST` forks children that wait, until fork fails or there are MOST, and prints
 * how many and why it stopped. When its standard input ends, all of them end. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long most = argc > 1 ? atol(argv[1]) : 1000, count = 0;
	int gate[2], alive[2];
	char byte;
	if (pipe(gate) != 0 || pipe(alive) != 0) {
		perror("pipe");
		return 1;
	}
	const char *why = "as many as asked for";
	while (count < most) {
		pid_t pid = fork();
		if (pid < 0) {
			why = strerror(errno);
			break;
		}
		if (pid == 0) {
			close(gate[1]);
			/* All that a child has of its own: the page that it writes, and its stack. */
			static volatile char page;
			page = 1;
			if (write(alive[1], "", 1) != 1)
				_exit(1);
			_exit(read(gate[0], &byte, 1) != 0);
		}
		if (read(alive[0], &byte, 1) != 1)
			return 1;
		count++;
	}
	printf("%ld %s\n", count, why);
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	close(gate[1]);
	long failed = 0;
	for (long i = 0; i < count; i++) {
		int status;
		if (wait(&status) < 0 || status != 0)
			failed++;
	}
	printf("%ld\n", failed);
	return failed != 0;
}
