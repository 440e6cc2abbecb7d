/* personality is kept: across fork, and across exec but for the system that a program is for. kill takes the id of any thread.
 */
#include <pthread.h>
#include <sys/personality.h>
#include "../process.h"

enum { KEPT = ADDR_NO_RANDOMIZE | SHORT_INODE };

static int persona(void)
{
	return personality(0xffffffff);
}

static struct gate ready, done;
static pid_t tid;
static volatile sig_atomic_t got;

static void handler(int signo)
{
	(void)signo;
	got++;
}

static void *waiting(void *arg)
{
	tid = gettid();
	mask(SIG_BLOCK, SIGUSR1);
	gate_open(&ready);
	gate_wait(&done);
	return arg;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return persona() == KEPT ? 0 : 1;
	CHECK_EQ(persona(), PER_LINUX);
	/* Filters of containers know few values, natively. */
	if (personality(KEPT) == 0 && persona() == KEPT) {
		pid_t child = start();
		if (child == 0) {
			CHECK_EQ(persona(), KEPT);
			execl("/proc/self/exe", argv[0], "again", NULL);
			_exit(2);
		}
		CHECK_EQ(ended(child), 0);
		CHECK_EQ(personality(PER_LINUX), KEPT);
		CHECK_EQ(persona(), PER_LINUX);
	}

	pthread_t thread;
	ready = gate(), done = gate();
	handle(SIGUSR1, handler, 0);
	CHECK_EQ(pthread_create(&thread, NULL, waiting, NULL), 0);
	gate_wait(&ready);
	CHECK(tid != getpid());
	CHECK_OK(kill(tid, 0));
	CHECK_OK(kill(tid, SIGUSR1));
	while (!got)
		sleep_ms(1);
	CHECK_EQ(got, 1);
	gate_open(&done);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	return check_done();
}
