/* What exit, quick_exit, _exit, abort, a return and pthread_exit run before the end, in children. */
#include <pthread.h>
#include "process.h"

static void at_exit(void) { puts("  atexit"); }
static void at_quick(void) { puts("  at_quick_exit"); fflush(stdout); }
static void on(int status, void *argument) { printf("  on_exit %d %s\n", status, (char *)argument); }
__attribute__((destructor)) static void destructor(void) { puts("  destructor"); }

static void *exits(void *argument)
{
	exit(*(int *)argument);
}

static void on_abort(int signo)
{
	(void)signo;
	static const char text[] = "  SIGABRT\n";
	_exit(write(1, text, sizeof text - 1) > 0 ? 50 : 51);
}

int main(void)
{
	static const char *const ways[] = { "exit", "quick_exit", "_exit", "_Exit", "exit from a thread", "pthread_exit", "abort",
					    "abort with a handler", "exit in atexit" };
	setvbuf(stdout, NULL, _IOFBF, 4096);
	atexit(at_exit);
	on_exit(on, "argument");
	at_quick_exit(at_quick);
	for (int way = 0; way < 9; way++) {
		int five = 5;
		printf("%s\n", ways[way]);
		pid_t pid = start();
		if (pid == 0) {
			pthread_t thread;
			printf("  written before\n");
			switch (way) {
			case 0: exit(1);
			case 1: fflush(stdout); quick_exit(2);
			case 2: _exit(3);
			case 3: _Exit(4);
			case 4:
				pthread_create(&thread, NULL, exits, &five);
				pthread_join(thread, NULL);
				break;
			case 5: pthread_exit(&five);
			case 7:
				fflush(stdout);
				signal(SIGABRT, on_abort);
				/* fall through */
			case 6: abort();
			case 8: exit(256 + 8);
			}
		}
		printf("  status %d\n", ended(pid));
	}
	fflush(stdout);
	_exit(0);
}
