/* STOP stops all threads of a process, CONT lets all go on; nothing is lost of what they do. */
#include <pthread.h>
#include <sys/mman.h>
#include "process.h"

static volatile unsigned *turns;

static void *turn(void *argument)
{
	volatile unsigned *own = argument;
	for (;;)
		++*own;
	return NULL;
}

static void *sleeps(void *argument)
{
	volatile unsigned *own = argument;
	for (;;) {
		usleep(500);
		++*own;
	}
	return NULL;
}

static unsigned sum(void)
{
	unsigned sum = 0;
	for (int i = 0; i < 4; i++)
		sum += turns[i * 1000];
	return sum;
}

int main(void)
{
	int status;
	turns = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		for (int i = 0; i < 3; i++)
			pthread_create(&thread, NULL, i == 1 ? sleeps : turn, (void *)(turns + i * 1000));
		turn((void *)(turns + 3000));
	}
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 4; i++)
			for (unsigned seen = turns[i * 1000]; turns[i * 1000] == seen;)
				usleep(200);
		CHECK_OK(kill(pid, SIGSTOP));
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status));
		unsigned seen = sum();
		usleep(5000);
		CHECK_EQ(sum(), seen);
		CHECK_OK(kill(pid, SIGCONT));
		CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	}
	CHECK_OK(kill(pid, SIGTERM));
	CHECK_EQ(ended(pid), 143);
	return check_done();
}
