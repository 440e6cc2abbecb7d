/* The first thread ends before the others: the process lives on with its pid, its status is that of the last or of exit. */
#include <pthread.h>
#include <sys/syscall.h>
#include "process.h"

static struct gate go;
static int status_given;

static void *lives(void *argument)
{
	(void)argument;
	gate_wait(&go);
	/* The main thread is a zombie now; the process is whole. */
	CHECK(getpid() != syscall(SYS_gettid));
	pid_t pid = start();
	if (pid == 0)
		_exit(getppid() > 0 ? 15 : 1);
	CHECK_EQ(ended(pid), 15);
	CHECK_OK(kill(getpid(), 0));
	if (status_given)
		exit(check_failures ? 99 : status_given);
	return NULL;
}

int main(void)
{
	static const int given[] = { 0, 7 };
	for (int i = 0; i < 2; i++) {
		go = gate();
		status_given = given[i];
		pid_t pid = start();
		if (pid == 0) {
			pthread_t thread;
			pthread_create(&thread, NULL, lives, NULL);
			pthread_detach(thread);
			pthread_exit(NULL);
		}
		/* Not yet. */
		usleep(3000);
		CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
		CHECK_OK(kill(pid, 0));
		gate_open(&go);
		CHECK_EQ(ended(pid), given[i]);
		gate_close(&go);
	}
	/* Signals to the process reach the thread that is left; exec from it keeps the pid. */
	go = gate();
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, lives, NULL);
		pthread_exit(NULL);
	}
	usleep(3000);
	CHECK_OK(kill(pid, SIGTERM));
	CHECK_EQ(ended(pid), 143);
	return check_done();
}
