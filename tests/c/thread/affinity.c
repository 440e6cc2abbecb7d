/* Threads run where sched_setaffinity(2) confines them, and so do those that they make.
 *
 * @libs -lpthread
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include "process.h"

static cpu_set_t all, one;
static int chosen;
static atomic_int stop, seen;

static void *elsewhere(void *unused)
{
	(void)unused;
	while (!stop)
		seen = sched_getcpu();
	return NULL;
}

static void *inherits(void *unused)
{
	(void)unused;
	cpu_set_t set;
	CHECK_OK(sched_getaffinity(0, sizeof set, &set));
	CHECK(CPU_EQUAL(&set, &one));
	for (int i = 0; i < 1000; i++)
		if (sched_getcpu() != chosen) {
			CHECK_EQ(sched_getcpu(), chosen);
			break;
		}
	return NULL;
}

static void in_a_child(void)
{
	inherits(NULL);
	CHECK_OK(sched_setaffinity(0, sizeof all, &all));
	cpu_set_t set;
	CHECK_OK(sched_getaffinity(0, sizeof set, &set));
	CHECK(CPU_EQUAL(&set, &all));
}

/* The kernel's own mask has room for the machine's processors, in words; a mask of a few bytes more is refused. */
static void sizes(void)
{
	unsigned long mask[128] = { 0 };
	long got = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
	CHECK(got >= (long)sizeof *mask && got % (long)sizeof *mask == 0);
	CHECK_EQ(syscall(SYS_sched_getaffinity, 0, got, mask), got);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, got + 1, mask), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 0, mask), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, -1, sizeof mask, mask), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_setaffinity, -1, sizeof mask, mask), ESRCH);
	if (sysconf(_SC_NPROCESSORS_CONF) <= 8 * (long)sizeof *mask)
		CHECK_EQ(syscall(SYS_sched_getaffinity, 0, sizeof *mask, mask), (long)sizeof *mask);
}

int main(void)
{
	sizes();
	pthread_t thread;
	cpu_set_t none;
	CPU_ZERO(&none);
	CHECK_OK(sched_getaffinity(0, sizeof all, &all));
	/* Each of the processors there are. */
	for (chosen = 0; chosen < CPU_SETSIZE; chosen++) {
		if (!CPU_ISSET(chosen, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(chosen, &one);
		CHECK_OK(sched_setaffinity(0, sizeof one, &one));
		inherits(NULL);
		CHECK_EQ(pthread_create(&thread, NULL, inherits, NULL), 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		CHECK_EQ(in_child(in_a_child), 0);
		CHECK_OK(sched_setaffinity(0, sizeof all, &all));

		/* A thread that runs is moved as well, soon. */
		stop = 0;
		CHECK_EQ(pthread_create(&thread, NULL, elsewhere, NULL), 0);
		CHECK_EQ(pthread_setaffinity_np(thread, sizeof one, &one), 0);
		for (int i = 0; i < 500; i++) {
			sleep_ms(2);
			if (seen == chosen)
				break;
		}
		CHECK_EQ(seen, chosen);
		stop = 1;
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
	CHECK_ERRNO(sched_setaffinity(0, sizeof none, &none), EINVAL);
	CHECK_ERRNO(sched_setaffinity(0, 0, &none), EINVAL);
	cpu_set_t now;
	CHECK_OK(sched_getaffinity(0, sizeof now, &now));
	CHECK(CPU_EQUAL(&now, &all));
	return check_done();
}
