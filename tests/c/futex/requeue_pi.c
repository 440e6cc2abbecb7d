/* FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI: a condition's waiters are moved to its lock and return as its owners. */
#include "futex.h"

enum { WAITERS = 6 };

static word condition, lock, other, ready, passed, handled;
static uint32_t self;

static long wait_at(word *at, uint32_t value, const struct timespec *limit, void *target)
{
	return futex(at, FUTEX_WAIT_REQUEUE_PI_PRIVATE, value, limit, target, 0);
}

static long move(word *at, uint32_t count, void *target, uint32_t value)
{
	return futex2(at, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, count, target, value);
}

static void take(word *at)
{
	uint32_t free = 0;
	if (!atomic_compare_exchange_strong(at, &free, (uint32_t)gettid()))
		CHECK_OK(futex(at, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

static void give(word *at)
{
	uint32_t own = (uint32_t)gettid();
	if (!atomic_compare_exchange_strong(at, &own, 0))
		CHECK_OK(futex(at, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

/* Waits until the calls of that many threads can have begun. */
static void settle(uint32_t threads)
{
	while (ready < threads)
		usleep(100);
	usleep(20000);
}

static void *waits(void *argument)
{
	(void)argument;
	ready++;
	CHECK_OK(wait_at(&condition, 0, NULL, &lock));
	CHECK_EQ(lock & FUTEX_TID_MASK, (uint32_t)gettid());
	passed++;
	give(&lock);
	return NULL;
}

static void start_all(pthread_t *threads, int count, void *(*run)(void *))
{
	ready = passed = 0;
	for (int i = 0; i < count; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, run, NULL), 0);
	settle((uint32_t)count);
}

static void join_all(pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void errors(void)
{
	static const struct timespec bad = { 0, 1000000000 };
	CHECK_ERRNO(wait_at(&condition, 0, NULL, &condition), EINVAL);
	CHECK_ERRNO(wait_at(&condition, 0, NULL, (char *)&lock + 1), EINVAL);
	CHECK_ERRNO(wait_at((void *)((char *)&condition + 2), 0, NULL, &lock), EINVAL);
	CHECK_ERRNO(wait_at(&condition, 0, &bad, &lock), EINVAL);
	CHECK_ERRNO(wait_at(&condition, 1, NULL, &lock), EAGAIN);
	CHECK_ERRNO(wait_at((void *)16, 0, NULL, &lock), EFAULT);
	CHECK_ERRNO(move(&condition, 1, &condition, 0), EINVAL);
	CHECK_ERRNO(move(&condition, (uint32_t)-1, &lock, 0), EINVAL);
	CHECK_ERRNO(futex2(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 0, 1, &lock, 0), EINVAL);
	CHECK_ERRNO(futex2(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, 1, &lock, 0), EINVAL);
	CHECK_ERRNO(move(&condition, 1, (char *)&lock + 2, 0), EINVAL);
	CHECK_ERRNO(move((void *)16, 1, &lock, 0), EFAULT);
	CHECK_ERRNO(move(&condition, 1, (void *)16, 0), EFAULT);
	CHECK_ERRNO(move(&condition, 1, &lock, 1), EAGAIN);
	CHECK_ERRNO(futex2(&condition, FUTEX_CMP_REQUEUE_PI_PRIVATE | FUTEX_CLOCK_REALTIME, 1, 1, &lock, 0), ENOSYS);
	/* Nobody waits. */
	CHECK_EQ(move(&condition, 1, &lock, 0), 0);
	CHECK_EQ(lock, 0);
}

/* Both clocks name points in time. */
static void limits(void)
{
	static const int clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME };
	for (int i = 0; i < 2; i++) {
		struct timespec start, at = in_ms(clocks[i], 20), past = { 1, 0 };
		int operation = FUTEX_WAIT_REQUEUE_PI_PRIVATE | (i ? FUTEX_CLOCK_REALTIME : 0);
		clock_gettime(CLOCK_MONOTONIC, &start);
		CHECK_ERRNO(futex(&condition, operation, 0, &at, &lock, 0), ETIMEDOUT);
		CHECK(ms_since(&start) >= 19);
		CHECK_ERRNO(futex(&condition, operation, 0, &past, &lock, 0), ETIMEDOUT);
	}
	CHECK_EQ(lock, 0);
}

/* With the lock held: all are moved, and pass one after the other. */
static void broadcast(void)
{
	pthread_t threads[WAITERS];
	start_all(threads, WAITERS, waits);
	take(&lock);
	CHECK_EQ(move(&condition, 2, &lock, 0), 3);
	CHECK_EQ(lock, self | FUTEX_WAITERS);
	CHECK_EQ(move(&condition, INT_MAX, &lock, 0), WAITERS - 3);
	CHECK_EQ(move(&condition, INT_MAX, &lock, 0), 0);
	usleep(5000);
	CHECK_EQ(passed, 0);
	give(&lock);
	join_all(threads, WAITERS);
	CHECK_EQ(passed, WAITERS);
	CHECK_EQ(lock & FUTEX_TID_MASK, 0);
}

/* With the lock free: the first has it at once. */
static void first_takes(void)
{
	pthread_t threads[WAITERS];
	start_all(threads, WAITERS, waits);
	CHECK_EQ(move(&condition, 0, &lock, 0), 1);
	while (passed < 1)
		usleep(100);
	usleep(5000);
	CHECK_EQ(passed, 1);
	CHECK_EQ(move(&condition, INT_MAX, &lock, 0), WAITERS - 1);
	join_all(threads, WAITERS);
	CHECK_EQ(passed, WAITERS);
	CHECK_EQ(lock & FUTEX_TID_MASK, 0);
}

/* Other operations do not find these waiters, and these are moved nowhere else. */
static void only_together(void)
{
	pthread_t thread;
	start_all(&thread, 1, waits);
	CHECK_ERRNO(futex(&condition, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex2(&condition, FUTEX_REQUEUE_PRIVATE, 0, 1, &other, 0), EINVAL);
	CHECK_ERRNO(futex2(&condition, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, &lock, 0), EINVAL);
	CHECK_ERRNO(move(&condition, 1, &other, 0), EINVAL);
	/* The lock's owner has to be there. */
	lock = FUTEX_TID_MASK;
	CHECK_ERRNO(move(&condition, 1, &lock, 0), ESRCH);
	lock = 0;
	take(&lock);
	CHECK_EQ(move(&condition, 1, &lock, 0), 1);
	CHECK_ERRNO(futex(&lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex2(&lock, FUTEX_REQUEUE_PRIVATE, 0, 1, &other, 0), EINVAL);
	give(&lock);
	join_all(&thread, 1);
}

static void *waits_plainly(void *argument)
{
	(void)argument;
	ready++;
	CHECK_OK(futex(&condition, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	return NULL;
}

static void plain_waiter(void)
{
	pthread_t thread;
	start_all(&thread, 1, waits_plainly);
	CHECK_ERRNO(move(&condition, 1, &lock, 0), EINVAL);
	CHECK_EQ(lock, 0);
	CHECK_EQ(futex(&condition, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	join_all(&thread, 1);
}

static void *waits_as_owner(void *argument)
{
	struct timespec limit = in_ms(CLOCK_MONOTONIC, 500);
	(void)argument;
	take(&lock);
	ready++;
	CHECK_ERRNO(wait_at(&condition, 0, &limit, &lock), ETIMEDOUT);
	give(&lock);
	return NULL;
}

static void deadlock(void)
{
	pthread_t thread;
	start_all(&thread, 1, waits_as_owner);
	CHECK_ERRNO(move(&condition, 1, &lock, 0), EDEADLK);
	join_all(&thread, 1);
}

/* The limit holds after the move, too. */
static void *waits_briefly(void *argument)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 150);
	(void)argument;
	ready++;
	CHECK_ERRNO(futex(&condition, FUTEX_WAIT_REQUEUE_PI_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &limit, &lock, 0), ETIMEDOUT);
	CHECK_EQ(lock & FUTEX_TID_MASK, self);
	passed++;
	return NULL;
}

static void limit_after_move(void)
{
	pthread_t thread;
	take(&lock);
	start_all(&thread, 1, waits_briefly);
	CHECK_EQ(move(&condition, 1, &lock, 0), 1);
	join_all(&thread, 1);
	CHECK_EQ(passed, 1);
	CHECK_OK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
	CHECK_EQ(lock, 0);
}

static void on_signal(int number)
{
	(void)number;
	handled++;
}

/* Before the move a handler leaves the wait as it was, after it the wait ends. */
static void *waits_with_handler(void *argument)
{
	(void)argument;
	ready++;
	CHECK_ERRNO(wait_at(&condition, 0, NULL, &lock), EAGAIN);
	passed++;
	return NULL;
}

static void *locks_with_handler(void *argument)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 10000);
	(void)argument;
	ready++;
	CHECK_OK(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, &limit, NULL, 0));
	passed++;
	give(&lock);
	return NULL;
}

static void until_handled(uint32_t count)
{
	while (handled < count)
		usleep(100);
	usleep(5000);
}

static void signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread;
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	take(&lock);
	start_all(&thread, 1, waits_with_handler);
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	until_handled(1);
	CHECK_EQ(passed, 0);
	CHECK_EQ(move(&condition, 1, &lock, 0), 1);
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	join_all(&thread, 1);
	CHECK_EQ(handled, 2);
	/* FUTEX_LOCK_PI goes on even with a limit and without SA_RESTART. */
	start_all(&thread, 1, locks_with_handler);
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	until_handled(3);
	CHECK_EQ(passed, 0);
	give(&lock);
	join_all(&thread, 1);
	CHECK_EQ(passed, 1);
}

/* A condition in shared memory. */
static void processes(void)
{
	word *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t children[3];
	CHECK(shared != MAP_FAILED);
	for (int i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			shared[2]++;
			if (futex(&shared[0], FUTEX_WAIT_REQUEUE_PI, 0, NULL, &shared[1], 0) != 0)
				_exit(1);
			if ((shared[1] & FUTEX_TID_MASK) != (uint32_t)gettid())
				_exit(2);
			shared[3]++;
			_exit(futex(&shared[1], FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0 ? 0 : 3);
		}
	}
	while (shared[2] < 3)
		usleep(100);
	usleep(20000);
	CHECK_EQ(futex2(&shared[0], FUTEX_CMP_REQUEUE_PI, 1, INT_MAX, &shared[1], 0), 3);
	for (int i = 0; i < 3; i++) {
		int status;
		CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
		CHECK_EQ(status, 0);
	}
	CHECK_EQ(shared[3], 3);
}

int main(void)
{
	self = (uint32_t)gettid();
	errors();
	limits();
	broadcast();
	first_takes();
	only_together();
	plain_waiter();
	deadlock();
	limit_after_move();
	signals();
	processes();
	return check_done();
}
