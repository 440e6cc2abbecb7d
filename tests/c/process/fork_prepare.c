/* pthread_atfork: prepare backwards, parent and child forwards; a handler may fork; _Fork runs none.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 */
#include <pthread.h>
#include "process.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int silent;

#define HANDLER(name) static void name(void) { if (!silent) puts(#name); }
HANDLER(prepare_a)
HANDLER(parent_a)
HANDLER(child_a)
HANDLER(prepare_b)
HANDLER(parent_b)
HANDLER(parent_c)
HANDLER(child_c)

static void take(void)
{
	pthread_mutex_lock(&lock);
}

static void give(void)
{
	pthread_mutex_unlock(&lock);
}

static void fork_inside(void)
{
	if (silent)
		return;
	silent = 1;
	pid_t pid = start();
	if (pid == 0)
		_exit(5);
	printf("inner status %d\n", ended(pid));
	silent = 0;
}

static void *locker(void *argument)
{
	(void)argument;
	for (int i = 0; i < 1000; i++) {
		take();
		give();
	}
	return NULL;
}

int main(void)
{
	CHECK_EQ(pthread_atfork(prepare_a, parent_a, child_a), 0);
	CHECK_EQ(pthread_atfork(prepare_b, parent_b, NULL), 0);
	CHECK_EQ(pthread_atfork(NULL, parent_c, NULL), 0);
	CHECK_EQ(pthread_atfork(NULL, NULL, child_c), 0);
	CHECK_EQ(pthread_atfork(NULL, NULL, NULL), 0);
	pid_t pid = start();
	if (pid == 0)
		exit(7);
	int status = ended(pid);
	printf("status %d\n", status);

	fflush(stdout);
	pid = _Fork();
	if (pid == 0)
		_exit(8);
	CHECK_EQ(ended(pid), 8);

	/* The usual reason for them: no child is born with somebody else's lock. */
	silent = 1;
	CHECK_EQ(pthread_atfork(take, give, give), 0);
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, locker, NULL), 0);
	for (int i = 0; i < 20; i++) {
		pid = start();
		if (pid == 0) {
			CHECK_EQ(pthread_mutex_trylock(&lock), 0);
			finish();
		}
		CHECK_EQ(ended(pid), 0);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	silent = 0;
	fflush(stdout);

	CHECK_EQ(pthread_atfork(fork_inside, NULL, NULL), 0);
	pid = fork();
	if (pid == 0)
		exit(9);
	CHECK_EQ(ended(pid), 9);
	return check_done();
}
