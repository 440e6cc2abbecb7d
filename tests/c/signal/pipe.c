/* SIGPIPE: default, ignored, handled; which thread gets it. */
#include <pthread.h>
#include "process.h"

static volatile int calls;
static pthread_t where;
static int ends[2];

static void on_signal(int signo)
{
	(void)signo;
	calls++;
	where = pthread_self();
}

static void *writes(void *argument)
{
	CHECK_ERRNO(write(ends[1], "x", 1), EPIPE);
	CHECK(pthread_equal(where, pthread_self()));
	return argument;
}

static void quits(void)
{
	signal(SIGPIPE, SIG_DFL);
	if (write(ends[1], "x", 1) < 0)
		_exit(1);
}

int main(void)
{
	pthread_t thread;
	CHECK_OK(pipe(ends));
	CHECK_OK(close(ends[0]));
	CHECK_EQ(in_child(quits), 128 + SIGPIPE);
	CHECK_OK(handle(SIGPIPE, on_signal, 0));
	CHECK_ERRNO(write(ends[1], "x", 1), EPIPE);
	CHECK_EQ(calls, 1);
	CHECK_EQ(pthread_create(&thread, NULL, writes, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(calls, 2);
	mask(SIG_BLOCK, SIGPIPE);
	CHECK_ERRNO(write(ends[1], "x", 1), EPIPE);
	CHECK(is_pending(SIGPIPE));
	CHECK_EQ(calls, 2);
	mask(SIG_UNBLOCK, SIGPIPE);
	CHECK_EQ(calls, 3);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(ends[1], "x", 1), EPIPE);
	/* Between processes: the writer ends when the reader does. */
	int p[2];
	CHECK_OK(pipe(p));
	pid_t writer = start();
	if (writer == 0) {
		signal(SIGPIPE, SIG_DFL);
		close(p[0]);
		for (;;)
			if (write(p[1], "some text\n", 10) < 0)
				_exit(1);
	}
	close(p[1]);
	pid_t reader = start();
	if (reader == 0) {
		char block[30000];
		_exit(read(p[0], block, sizeof block) > 0 ? 0 : 1);
	}
	close(p[0]);
	CHECK_EQ(ended(reader), 0);
	CHECK_EQ(ended(writer), 128 + SIGPIPE);
	return check_done();
}
