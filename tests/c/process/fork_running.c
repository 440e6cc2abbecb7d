/* fork while 8 threads change memory: the child sees one moment of it. Structures under a lock are whole when the forking
 * thread holds the lock; words that each thread writes in a fixed order, without any lock and on pages far apart, are never
 * further apart than the writer can have left them.
 *
 * @args 2500
 * @opt -O0 -O1 -O2 -O3
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include "process.h"

enum { THREADS = 8, WORDS = 50, PAGES = 12, PAGE = 65536, BURST = 3000 };

struct record {
	unsigned words[WORDS], sum;
	long long turns;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, start_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;
static struct record records[THREADS];
/* Each thread counts up through its own pages, from the first to the last. */
static _Atomic unsigned *pages[THREADS];
static atomic_int stop, bursts;

static unsigned total(const struct record *record)
{
	unsigned sum = 17;
	for (int i = 0; i < WORDS; i++)
		sum = sum * 31 + record->words[i];
	return sum;
}

static _Atomic unsigned *page(int thread, int at)
{
	return pages[thread] + (size_t)at * PAGE / sizeof(unsigned);
}

/* Each fork starts a burst of work, so that the threads are in the middle of it and yet leave time for the child. */
static void await_burst(int *seen)
{
	pthread_mutex_lock(&start_lock);
	while (atomic_load(&bursts) == *seen && !atomic_load(&stop))
		pthread_cond_wait(&started, &start_lock);
	*seen = atomic_load(&bursts);
	pthread_mutex_unlock(&start_lock);
}

static void begin_burst(void)
{
	pthread_mutex_lock(&start_lock);
	atomic_fetch_add(&bursts, 1);
	pthread_cond_broadcast(&started);
	pthread_mutex_unlock(&start_lock);
}

static void *worker(void *argument)
{
	int self = (int)(long)argument, burst = 0;
	unsigned seed = (unsigned)self + 1;
	for (unsigned turn = 1; !atomic_load_explicit(&stop, memory_order_relaxed); turn++) {
		if (turn % BURST == 0)
			await_burst(&burst);
		for (int i = 0; i < PAGES; i++)
			atomic_store_explicit(page(self, i), turn, memory_order_seq_cst);
		if (turn % 16)
			continue;
		seed = seed * 1103515245 + 12345;
		struct record *record = &records[seed / 65536 % THREADS];
		pthread_mutex_lock(&lock);
		for (int i = 0; i < 20; i++)
			record->words[(seed + (unsigned)i * 7) % WORDS] += seed;
		record->sum = total(record);
		record->turns++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

/* In the child: nothing moves any more, and all is of one moment. */
static void examine(void)
{
	for (int t = 0; t < THREADS; t++) {
		CHECK_EQ(records[t].sum, total(&records[t]));
		unsigned first = *page(t, 0), last = *page(t, PAGES - 1);
		CHECK(first - last <= 1);
		int steps = 0;
		for (int i = 1; i < PAGES; i++) {
			unsigned before = *page(t, i - 1), here = *page(t, i);
			steps += before != here;
			CHECK(before - here <= 1);
		}
		CHECK(steps <= 1);
		CHECK_EQ(*page(t, 0), first);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100;
	pthread_t threads[THREADS];
	for (int t = 0; t < THREADS; t++) {
		records[t].sum = total(&records[t]);
		pages[t] = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(pages[t] != MAP_FAILED);
	}
	for (long t = 0; t < THREADS; t++)
		CHECK_EQ(pthread_create(&threads[t], NULL, worker, (void *)t), 0);
	fflush(stdout);
	for (int round = 0; round < rounds && !check_failures; round++) {
		int locked = round % 3 != 0;
		begin_burst();
		for (volatile int pause = 0; pause < round * 7919 % 20000; pause++)
			;
		if (locked)
			pthread_mutex_lock(&lock);
		pid_t pid = fork();
		if (pid == 0) {
			check_failures = 0;
			if (locked) {
				examine();
				/* The lock is the child's own now. */
				pthread_mutex_unlock(&lock);
				CHECK_EQ(pthread_mutex_trylock(&lock), 0);
			} else {
				for (int t = 0; t < THREADS; t++) {
					unsigned first = *page(t, 0), last = *page(t, PAGES - 1);
					CHECK(first - last <= 1);
				}
			}
			finish();
		}
		if (locked)
			pthread_mutex_unlock(&lock);
		CHECK(pid > 0);
		CHECK_EQ(ended(pid), 0);
	}
	atomic_store(&stop, 1);
	begin_burst();
	for (int t = 0; t < THREADS; t++)
		CHECK_EQ(pthread_join(threads[t], NULL), 0);
	return check_done();
}
