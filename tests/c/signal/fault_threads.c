/* Faults in threads: each handles its own, at the same time; a fault without a handler ends the whole process. */
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include "process.h"

static __thread sigjmp_buf point;
static __thread volatile int own;
static volatile int sink, zero, seven = 7;

static void on_fault(int signo)
{
	own++;
	siglongjmp(point, signo);
}

static void *faults(void *argument)
{
	(void)argument;
	for (volatile int i = 0; i < 200; i++) {
		int signo = sigsetjmp(point, 1);
		if (signo == 0) {
			if (i % 2)
				sink = *(volatile int *)(uintptr_t)8;
			else
				sink = seven / zero;
		}
		if (signo != (i % 2 ? SIGSEGV : SIGFPE))
			return (void *)1000;
	}
	return (void *)(long)own;
}

static void *dies(void *argument)
{
	usleep(1000);
	sink = *(volatile int *)(uintptr_t)8;
	return argument;
}

int main(void)
{
	pthread_t threads[6];
	CHECK_OK(handle(SIGSEGV, on_fault, 0));
	CHECK_OK(handle(SIGFPE, on_fault, 0));
	for (int i = 0; i < 6; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, faults, NULL), 0);
	for (int i = 0; i < 6; i++) {
		void *count;
		CHECK_EQ(pthread_join(threads[i], &count), 0);
		CHECK_EQ((long)count, 200);
	}
	pid_t pid = start();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		pthread_create(&threads[0], NULL, dies, NULL);
		pause();
	}
	CHECK_EQ(ended(pid), 128 + SIGSEGV);
	return check_done();
}
