/* exec ends all other threads; it keeps the pid, from whichever thread it is called, and never two images run. */
#include <pthread.h>
#include <sys/syscall.h>
#include "process.h"

static char *self;
static int fds[2];
static volatile unsigned turns;

static void *spin(void *argument)
{
	for (;;)
		turns++;
	return argument;
}

static void *writes(void *argument)
{
	for (;;) {
		CHECK_EQ(write(fds[1], "old", 3), 3);
		usleep(500);
	}
	return argument;
}

static void *reads(void *argument)
{
	int *ends = argument;
	char byte;
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	return argument;
}

static void *execs(void *argument)
{
	char pid[16], in[16];
	(void)argument;
	usleep(3000);
	snprintf(pid, sizeof pid, "%d", getpid());
	snprintf(in, sizeof in, "%d", fds[0]);
	execl(self, self, pid, in, (char *)NULL);
	_exit(66);
}

static int image(char **argv)
{
	char text[4096];
	CHECK_EQ(getpid(), atoi(argv[1]));
	CHECK_EQ(syscall(SYS_gettid), getpid());
	int in = atoi(argv[2]);
	CHECK_OK(fcntl(in, F_SETFL, O_NONBLOCK));
	while (read(in, text, sizeof text) > 0)
		;
	/* All writers are gone: end of file, not an empty pipe. */
	CHECK_EQ(read(in, text, 1), 0);
	finish();
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return image(argv);
	self = argv[0];
	for (int way = 0; way < 3; way++) {
		CHECK_OK(pipe(fds));
		CHECK_OK(fcntl(fds[1], F_SETFD, FD_CLOEXEC));
		pid_t pid = start();
		if (pid == 0) {
			int never[2];
			pthread_t thread;
			pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
			CHECK_OK(pipe2(never, O_CLOEXEC));
			pthread_create(&thread, NULL, spin, NULL);
			pthread_create(&thread, NULL, writes, NULL);
			pthread_create(&thread, NULL, reads, never);
			if (way == 0)
				execs(NULL);
			/* Several want to: one does. */
			for (int i = 0; i < (way == 1 ? 1 : 4); i++)
				pthread_create(&thread, NULL, execs, NULL);
			pthread_mutex_lock(&lock);
			pthread_mutex_lock(&lock);
		}
		close(fds[0]);
		close(fds[1]);
		CHECK_EQ(ended(pid), 0);
	}
	return check_done();
}
