/* abort: SIGABRT unblocked, with a handler that returns, that jumps out, and ignored. */
#include <setjmp.h>
#include "process.h"

static sigjmp_buf point;

static void returns(int signo)
{
	(void)signo;
	if (write(1, "handler\n", 8) != 8)
		_exit(1);
}

static void jumps(int signo)
{
	siglongjmp(point, signo);
}

int main(void)
{
	for (int way = 0; way < 5; way++) {
		pid_t pid = start();
		if (pid == 0) {
			switch (way) {
			case 1: mask(SIG_BLOCK, SIGABRT); break;
			case 2: signal(SIGABRT, SIG_IGN); break;
			case 3: signal(SIGABRT, returns); break;
			case 4:
				signal(SIGABRT, jumps);
				if (sigsetjmp(point, 1))
					_exit(is_blocked(SIGABRT) ? 21 : 20);
				break;
			}
			abort();
		}
		CHECK_EQ(ended(pid), way == 4 ? 20 : 134);
	}
	return check_done();
}
