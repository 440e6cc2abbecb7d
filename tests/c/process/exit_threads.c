/* exit and _exit end all threads, wherever they are: in a loop without calls, blocked, making threads. */
#include <pthread.h>
#include <sys/syscall.h>
#include "process.h"

static volatile unsigned spins;
static int ends[2];

static void *spin(void *argument)
{
	for (;;)
		spins++;
	return argument;
}

static void *blocked(void *argument)
{
	char byte;
	while (read(ends[0], &byte, 1) != 0)
		;
	return argument;
}

static void *locked(void *argument)
{
	pthread_mutex_lock(argument);
	return argument;
}

static void *waits(void *argument)
{
	pause();
	return argument;
}

static void *nothing(void *argument)
{
	return argument;
}

static void *makes(void *argument)
{
	for (;;) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, nothing, NULL) == 0)
			pthread_join(thread, NULL);
	}
	return argument;
}

static void *leaves(void *argument)
{
	usleep(10000);
	if (argument)
		_exit(33);
	exit(34);
}

int main(void)
{
	CHECK_OK(pipe(ends));
	for (int way = 0; way < 4; way++) {
		pid_t pid = start();
		if (pid == 0) {
			pthread_t thread;
			pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
			pthread_mutex_lock(&lock);
			pthread_create(&thread, NULL, spin, NULL);
			pthread_create(&thread, NULL, blocked, NULL);
			pthread_create(&thread, NULL, locked, &lock);
			pthread_create(&thread, NULL, waits, NULL);
			pthread_create(&thread, NULL, makes, NULL);
			usleep(5000);
			switch (way) {
			case 0: _exit(31);
			case 1: exit(32);
			case 2: pthread_create(&thread, NULL, leaves, &lock); break;
			case 3: pthread_create(&thread, NULL, leaves, NULL); break;
			}
			pthread_join(thread, NULL);
		}
		CHECK_EQ(ended(pid), 31 + (way == 2 ? 2 : way == 3 ? 3 : way));
	}
	/* Killed from outside. */
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		for (int i = 0; i < 3; i++)
			pthread_create(&thread, NULL, i == 1 ? blocked : spin, NULL);
		spin(NULL);
	}
	usleep(5000);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ended(pid), 137);
	/* exit_group by its number: one thread's end with SYS_exit is only its own. */
	pid = start();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, leaves, &ends);
		syscall(SYS_exit, 77);
	}
	CHECK_EQ(ended(pid), 33);
	pid = start();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, spin, NULL);
		syscall(SYS_exit_group, 78);
	}
	CHECK_EQ(ended(pid), 78);
	return check_done();
}
