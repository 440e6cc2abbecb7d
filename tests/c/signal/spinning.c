/* Programs in loops without calls can be ended, stopped, and called away by handlers, from outside.
 *
 * @opt -O0 -O2
 */
#include <sys/mman.h>
#include "process.h"

static volatile unsigned *shared;

static void on_signal(int signo)
{
	if (signo == SIGTERM)
		_exit(44);
	shared[1]++;
}

static void __attribute__((noinline)) empty_loop(void)
{
	for (;;)
		__asm__ volatile("");
}

static void __attribute__((noinline)) memory_loop(void)
{
	for (;;)
		shared[0]++;
}

static double __attribute__((noinline)) recursive(int n)
{
	return n < 2 ? n : recursive(n - 1) + recursive(n - 2);
}

static void __attribute__((noinline)) call_loop(void)
{
	while (recursive(20) > 0)
		shared[0]++;
}

static void (*const loops[])(void) = { empty_loop, memory_loop, call_loop };

int main(void)
{
	int status;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 3; i++) {
		struct gate ready = gate();
		pid_t pid = start();
		if (pid == 0) {
			CHECK_OK(handle(SIGUSR1, on_signal, 0));
			CHECK_OK(handle(SIGTERM, on_signal, 0));
			gate_open(&ready);
			loops[i]();
		}
		gate_wait(&ready);
		for (int k = 0; k < 20; k++) {
			unsigned before = shared[1];
			CHECK_OK(kill(pid, SIGUSR1));
			while (shared[1] == before)
				usleep(50);
		}
		CHECK_OK(kill(pid, SIGSTOP));
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status));
		unsigned seen = shared[1];
		CHECK_OK(kill(pid, SIGUSR1));
		usleep(2000);
		CHECK_EQ(shared[1], seen);
		CHECK_OK(kill(pid, SIGCONT));
		while (shared[1] == seen)
			usleep(50);
		CHECK_OK(kill(pid, SIGTERM));
		CHECK_EQ(ended(pid), 44);
		static const int fatal[] = { SIGINT, SIGKILL, SIGALRM };
		for (int k = 0; k < 3; k++) {
			pid = start();
			if (pid == 0)
				loops[i]();
			if (k == 1)
				usleep(1000);
			CHECK_OK(kill(pid, fatal[k]));
			CHECK_EQ(ended(pid), 128 + fatal[k]);
		}
	}
	return check_done();
}
