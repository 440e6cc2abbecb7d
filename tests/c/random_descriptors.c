/* Random use of the descriptor table: every number, flag, position and errno is as natively.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static uint32_t state = 99;

static uint32_t below(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

static void say(int step, const char *what, int a, int b, long result)
{
	int error = errno;
	printf("%d %s %d %d: %ld %s\n", step, what, a, b, result, result < 0 ? strerrorname_np(error) : "");
}

static void table(void)
{
	for (int fd = 3; fd < 30; fd++) {
		struct stat st;
		int flags = fcntl(fd, F_GETFD);
		if (flags < 0) {
			putchar('.');
			continue;
		}
		if (fstat(fd, &st) < 0)
			printf("?");
		printf("[%d%s %lld %o]", fd, flags & FD_CLOEXEC ? "c" : "", S_ISREG(st.st_mode) ? (long long)lseek(fd, 0, SEEK_CUR) : -1LL,
		       fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
	}
	putchar('\n');
}

int main(void)
{
	char buffer[100] = "";
	struct rlimit few = { 60, 60 };
	close_range(3, ~0u, 0);
	if (setrlimit(RLIMIT_NOFILE, &few) < 0)
		return 1;
	for (int step = 0; step < 6000; step++) {
		int a = (int)below(28) + 2, b = (int)below(28) + 2;
		uint32_t size = below(60);
		if (a < 3)
			a = -1;
		if (b < 3)
			b = 3;
		switch (below(17)) {
		case 0: say(step, "open", 0, 0, open(below(2) ? "one" : "two", O_RDWR | O_CREAT | O_NONBLOCK, 0644)); break;
		case 1: say(step, "append", 0, 0, open("one", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)); break;
		case 2: say(step, "dup", a, 0, dup(a)); break;
		case 3: say(step, "dup2", a, b, dup2(a, b)); break;
		case 4: say(step, "dup3", a, b, dup3(a, b, O_CLOEXEC)); break;
		case 5: say(step, "dupfd", a, b, fcntl(a, F_DUPFD, b)); break;
		case 6: case 7: case 8: say(step, "close", a, 0, close(a)); break;
		case 9: say(step, "setfd", a, 0, fcntl(a, F_SETFD, below(2) ? FD_CLOEXEC : 0)); break;
		case 10: say(step, "setfl", a, 0, fcntl(a, F_SETFL, O_NONBLOCK | (below(2) ? O_APPEND : 0))); break;
		case 11: {
			int p[2] = { -1, -1 };
			long result = pipe2(p, O_NONBLOCK | (below(2) ? O_CLOEXEC : 0));
			say(step, "pipe", p[0], p[1], result);
			break;
		}
		case 12: {
			/* A pipe without readers would end the program. */
			struct pollfd end = { a, POLLOUT, 0 };
			poll(&end, 1, 0);
			if (!(end.revents & POLLERR))
				say(step, "write", a, (int)size, write(a, buffer, size));
			break;
		}
		case 13: say(step, "read", a, (int)size, read(a, buffer, size)); break;
		case 14: say(step, "seek", a, (int)size, lseek(a, size, (int)below(4))); break;
		case 15: say(step, "truncate", a, (int)size, ftruncate(a, size)); break;
		case 16: {
			struct pollfd p[2] = { { a, POLLIN | POLLOUT, 0 }, { b, POLLIN, 0 } };
			long result = poll(p, 2, 0);
			say(step, "poll", a, b, result);
			printf(" %x %x\n", p[0].revents, p[1].revents);
			break;
		}
		}
		if (step % 10 == 0)
			table();
	}
	return 0;
}
