/* Threads and children: any thread waits for any child of the process, unless it asks for its own only. */
#include <pthread.h>
#include "process.h"

static struct gate go;
static volatile pid_t made;

static void *makes(void *argument)
{
	(void)argument;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		gate_wait(&go);
		_exit(21);
	}
	made = pid;
	return NULL;
}

static void *waits(void *argument)
{
	int status, got = waitpid(*(pid_t *)argument, &status, 0);
	return (void *)(long)(got == *(pid_t *)argument ? shell_status(status) : -errno);
}

int main(void)
{
	pthread_t thread, threads[8];
	void *result;
	int status;
	go = gate();
	CHECK_EQ(pthread_create(&thread, NULL, makes, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	/* Its maker is gone; it is the process's child. */
	gate_open(&go);
	CHECK_EQ(ended(made), 21);

	pid_t pid = start();
	if (pid == 0) {
		gate_wait(&go);
		_exit(22);
	}
	CHECK_EQ(pthread_create(&thread, NULL, waits, &pid), 0);
	gate_open(&go);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK_EQ((long)result, 22);

	/* 8 threads wait for one child: one has it, the others are told that there is none. */
	pid = start();
	if (pid == 0) {
		gate_wait(&go);
		_exit(23);
	}
	for (int i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, waits, &pid), 0);
	gate_open(&go);
	int had = 0;
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK((long)result == 23 || (long)result == -ECHILD);
		had += (long)result == 23;
	}
	CHECK_EQ(had, 1);

	pid_t own = start();
	if (own == 0)
		_exit(24);
	CHECK_EQ(waitpid(-1, &status, __WNOTHREAD), own);
	return check_done();
}
