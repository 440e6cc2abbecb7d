/* Contexts and threads: pthread_exit in one, one that another thread goes on with, jumps from one to another.
 *
 * @opt -O0 -O2
 */
#include <pthread.h>
#include <setjmp.h>
#include <ucontext.h>
#include "process.h"

enum { STACK = 128 * 1024, SWITCHES = 1000, WORKERS = 3, JOBS = 30 };

static void set(ucontext_t *context, ucontext_t *link, void (*function)(void))
{
	CHECK_OK(getcontext(context));
	context->uc_stack.ss_sp = malloc(STACK);
	context->uc_stack.ss_size = STACK;
	context->uc_link = link;
	makecontext(context, function, 0);
}

/* pthread_exit in a context ends the thread. */
static __thread ucontext_t own_main, own;
static __thread int own_count;
static pthread_key_t key;
static volatile int destroyed, cleaned;

static void destroy(void *value)
{
	(void)value;
	destroyed++;
}

static void clean(void *value)
{
	(void)value;
	cleaned++;
}

static void ends(void)
{
	int count = ++own_count;
	swapcontext(&own, &own_main);
	pthread_cleanup_push(clean, NULL);
	pthread_exit((void *)(long)(count + own_count));
	pthread_cleanup_pop(0);
}

static void *thread(void *argument)
{
	pthread_setspecific(key, argument);
	set(&own, NULL, ends);
	CHECK_OK(swapcontext(&own_main, &own));
	own_count++;
	setcontext(&own);
	CHECK(!"not reached");
	return NULL;
}

/* Jobs that any worker goes on with. */
struct job {
	ucontext_t context;
	int steps;
	long sum;
	struct job *next;
};

static struct job jobs[JOBS], *queue;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int done;
static __thread ucontext_t worker_main;
static __thread struct job *current;

__attribute__((noinline)) static struct job *self(void)
{
	__asm__ volatile ("");
	return current;
}

/* The thread's variables are to be looked for anew after each switch. */
__attribute__((noinline)) static void yield(struct job *job)
{
	__asm__ volatile ("");
	swapcontext(&job->context, &worker_main);
}

__attribute__((noinline)) static double deep(struct job *job, int depth, double value)
{
	if (depth == 0) {
		yield(job);
		return value;
	}
	return deep(job, depth - 1, value + depth) + 0.5;
}

static void work(void)
{
	struct job *job = self();
	double all = 0;
	for (int i = 0; i < 20; i++) {
		all += deep(job, i, i);
		job->steps++;
		job->sum += i;
	}
	/* 0 + 1 + … + i above i, and a half for each call. */
	double expect = 0;
	for (int i = 0; i < 20; i++)
		expect += i + i * (i + 1) / 2 + 0.5 * i;
	CHECK(all == expect);
	job->steps = -1;
	yield(job);
}

static void *worker(void *argument)
{
	(void)argument;
	for (;;) {
		pthread_mutex_lock(&lock);
		struct job *job = queue;
		if (job != NULL)
			queue = job->next;
		int all = done == JOBS;
		pthread_mutex_unlock(&lock);
		if (all)
			return NULL;
		if (job == NULL)
			continue;
		current = job;
		CHECK_OK(swapcontext(&worker_main, &job->context));
		pthread_mutex_lock(&lock);
		if (job->steps < 0) {
			done++;
		} else {
			job->next = queue;
			queue = job;
		}
		pthread_mutex_unlock(&lock);
	}
}

/* Contexts that are made by makecontext and then switched by longjmp. */
static jmp_buf places[3];
static ucontext_t mains, other[2];
static int starting, turns[3];

static void go(int from, int to)
{
	if (setjmp(places[from]) == 0)
		longjmp(places[to], 1);
}

static void jumper(void)
{
	int number = starting;
	long live = 1000 * number;
	if (setjmp(places[number]) == 0)
		swapcontext(&other[number - 1], &mains);
	for (;;) {
		turns[number]++;
		CHECK_EQ(live, 1000 * number + turns[number] - 1);
		live++;
		go(number, (number + 1) % 3);
	}
}

int main(void)
{
	pthread_t threads[4];
	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	for (long i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, thread, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++) {
		void *result;
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, 3);
	}
	CHECK_EQ(destroyed, 4);
	CHECK_EQ(cleaned, 4);

	for (int i = 0; i < JOBS; i++) {
		set(&jobs[i].context, NULL, work);
		jobs[i].next = queue;
		queue = &jobs[i];
	}
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, worker, NULL), 0);
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < JOBS; i++)
		CHECK_EQ(jobs[i].sum, 190);

	for (starting = 1; starting < 3; starting++) {
		set(&other[starting - 1], &mains, jumper);
		CHECK_OK(swapcontext(&mains, &other[starting - 1]));
	}
	for (int i = 0; i < SWITCHES; i++) {
		turns[0]++;
		go(0, 1);
	}
	CHECK_EQ(turns[0], SWITCHES);
	CHECK_EQ(turns[1], SWITCHES);
	CHECK_EQ(turns[2], SWITCHES);
	/* The child has all of them, too. */
	pid_t pid = start();
	if (pid == 0) {
		for (int i = 0; i < 10; i++) {
			turns[0]++;
			go(0, 1);
		}
		CHECK_EQ(turns[2], SWITCHES + 10);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	turns[0]++;
	go(0, 1);
	CHECK_EQ(turns[2], SWITCHES + 1);
	return check_done();
}
