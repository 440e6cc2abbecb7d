/* exec from deep frames, callbacks, handlers, atexit, and from a fork in them. */
#include <setjmp.h>
#include "process.h"

static char *self;

static void run(const char *what)
{
	execl(self, self, what, (char *)NULL);
	_exit(90);
}

static int compare(const void *a, const void *b)
{
	(void)a;
	(void)b;
	run("61");
	return 0;
}

static void on_signal(int signo)
{
	(void)signo;
	/* The new image starts with this signal blocked, as it was here. */
	run("62");
}

static void on_exit_time(void)
{
	run("63");
}

static int deep(int depth, double x)
{
	if (depth == 0)
		run("64");
	return deep(depth - 1, x * 1.5) + (int)x;
}

static jmp_buf point;

int main(int argc, char **argv)
{
	if (argc > 1) {
		int what = atoi(argv[1]);
		if (what == 62 && !is_blocked(SIGUSR1))
			what = 91;
		if (what != 62 && is_blocked(SIGUSR1))
			what = 92;
		_exit(what);
	}
	self = argv[0];
	int values[] = { 3, 1, 2 };
	for (int way = 61; way <= 66; way++) {
		pid_t pid = start();
		if (pid == 0) {
			switch (way) {
			case 61: qsort(values, 3, sizeof *values, compare); break;
			case 62: signal(SIGUSR1, on_signal); raise(SIGUSR1); break;
			case 63: atexit(on_exit_time); exit(0);
			case 64: deep(1000, 0.5); break;
			case 65:
				if (setjmp(point) == 0)
					longjmp(point, 1);
				run("65");
				break;
			case 66: {
				pid_t inner = vfork();
				if (inner == 0)
					run("70");
				_exit(ended(inner) - 4);
			}
			}
			_exit(93);
		}
		CHECK_EQ(ended(pid), way);
	}
	return check_done();
}
