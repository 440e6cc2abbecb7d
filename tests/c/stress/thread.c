/* Stress of threads: making, locking, waiting, cancelling.
 * @libs -lpthread
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include "stress.h"

#define THREADS 4

static pthread_t threads[THREADS];

static void begin(void *(*body)(void *))
{
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, body, (void *)(intptr_t)i), 0);
}

static void finish_threads(void)
{
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void *same(void *argument)
{
	return argument;
}

static void creates(int worker)
{
	(void)worker;
	for (intptr_t i = 0; i < 200; i++) {
		pthread_t thread;
		void *result;
		CHECK_EQ(pthread_create(&thread, NULL, same, (void *)i), 0);
		CHECK_EQ(pthread_join(thread, &result), 0);
		CHECK_EQ((intptr_t)result, i);
	}
}

static volatile int detached_left;

static void *detached_body(void *argument)
{
	__atomic_sub_fetch(&detached_left, 1, __ATOMIC_SEQ_CST);
	return argument;
}

static void detached(int worker)
{
	pthread_attr_t attributes;
	(void)worker;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (int round = 0; round < 10; round++) {
		detached_left = 10;
		for (int i = 0; i < 10; i++) {
			pthread_t thread;
			while (pthread_create(&thread, &attributes, detached_body, NULL) == EAGAIN)
				sched_yield();
		}
		while (__atomic_load_n(&detached_left, __ATOMIC_SEQ_CST) > 0)
			sched_yield();
	}
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int counter;

static void *locking(void *unused)
{
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

static void mutexes(int worker)
{
	(void)worker;
	begin(locking);
	finish_threads();
	CHECK_EQ(counter, THREADS * 5000);
}

static void with_protocol(int protocol)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attributes, protocol), 0);
	CHECK_EQ(pthread_mutex_init(&lock, &attributes), 0);
	begin(locking);
	finish_threads();
	CHECK_EQ(counter, THREADS * 5000);
}

static void inheriting(int worker)
{
	(void)worker;
	with_protocol(PTHREAD_PRIO_INHERIT);
}

static pthread_spinlock_t spin;

static void *spinning(void *unused)
{
	for (int i = 0; i < 500; i++) {
		pthread_spin_lock(&spin);
		counter++;
		pthread_spin_unlock(&spin);
		sched_yield();
	}
	return unused;
}

static void spins(int worker)
{
	(void)worker;
	pthread_spin_init(&spin, 0);
	begin(spinning);
	finish_threads();
	CHECK_EQ(counter, THREADS * 500);
}

static pthread_rwlock_t both = PTHREAD_RWLOCK_INITIALIZER;
static volatile int first, second;

static void *reading_or_writing(void *which)
{
	for (int i = 0; i < 2000; i++)
		if ((intptr_t)which == 0) {
			pthread_rwlock_wrlock(&both);
			first++;
			second++;
			pthread_rwlock_unlock(&both);
		} else {
			pthread_rwlock_rdlock(&both);
			CHECK_EQ(first, second);
			pthread_rwlock_unlock(&both);
		}
	return NULL;
}

static void rwlocks(int worker)
{
	(void)worker;
	begin(reading_or_writing);
	finish_threads();
	CHECK_EQ(first, 2000);
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *taking_turns(void *which)
{
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		while (turn != (intptr_t)which)
			pthread_cond_wait(&changed, &lock);
		turn = (turn + 1) % THREADS;
		counter++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void conditions(int worker)
{
	(void)worker;
	begin(taking_turns);
	finish_threads();
	CHECK_EQ(counter, THREADS * 200);
}

static void timed_conditions(int worker)
{
	(void)worker;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 20; i++) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 2000000;
		if (until.tv_nsec >= 1000000000)
			until.tv_nsec -= 1000000000, until.tv_sec++;
		CHECK_EQ(pthread_cond_timedwait(&changed, &lock, &until), ETIMEDOUT);
	}
	pthread_mutex_unlock(&lock);
}

static pthread_barrier_t barrier;
static volatile int arrived[100];

static void *meeting(void *unused)
{
	for (int i = 0; i < 100; i++) {
		__atomic_add_fetch(&arrived[i], 1, __ATOMIC_SEQ_CST);
		int result = pthread_barrier_wait(&barrier);
		CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
		CHECK_EQ(arrived[i], THREADS);
	}
	return unused;
}

static void barriers(int worker)
{
	(void)worker;
	pthread_barrier_init(&barrier, NULL, THREADS);
	begin(meeting);
	finish_threads();
}

static sem_t full, empty;
static int place;

static void *producing(void *which)
{
	for (int i = 0; i < 500; i++)
		if ((intptr_t)which % 2) {
			sem_wait(&empty);
			__atomic_add_fetch(&place, 1, __ATOMIC_SEQ_CST);
			sem_post(&full);
		} else {
			sem_wait(&full);
			CHECK(__atomic_sub_fetch(&place, 1, __ATOMIC_SEQ_CST) >= 0);
			sem_post(&empty);
		}
	return NULL;
}

static void semaphores(int worker)
{
	(void)worker;
	sem_init(&full, 0, 0);
	sem_init(&empty, 0, 3);
	begin(producing);
	finish_threads();
	CHECK_EQ(place, 0);
}

static pthread_key_t key;
static __thread int local;
static volatile int destroyed;

static void destroy(void *unused)
{
	(void)unused;
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void *own_data(void *which)
{
	for (int i = 0; i < 500; i++) {
		local = (intptr_t)which * 1000 + i;
		pthread_setspecific(key, (void *)(intptr_t)(local + 1));
		sched_yield();
		CHECK_EQ(local, (intptr_t)which * 1000 + i);
		CHECK_EQ((intptr_t)pthread_getspecific(key), local + 1);
	}
	return NULL;
}

static void keys(int worker)
{
	(void)worker;
	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	begin(own_data);
	finish_threads();
	CHECK_EQ(destroyed, THREADS);
}

static pthread_once_t once;

static void only_once(void)
{
	sleep_ms(1);
	counter++;
}

static void *asking_once(void *unused)
{
	pthread_once(&once, only_once);
	CHECK_EQ(counter, 1);
	return unused;
}

static void onces(int worker)
{
	(void)worker;
	for (int round = 0; round < 20; round++) {
		counter = 0;
		once = (pthread_once_t)PTHREAD_ONCE_INIT;
		begin(asking_once);
		finish_threads();
	}
}

static volatile int cleaned;

static void clean(void *unused)
{
	(void)unused;
	__atomic_add_fetch(&cleaned, 1, __ATOMIC_SEQ_CST);
}

static void *sleeping(void *unused)
{
	pthread_cleanup_push(clean, NULL);
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return unused;
}

static void cancels(int worker)
{
	(void)worker;
	for (int round = 0; round < 40; round++) {
		void *result;
		pthread_t thread;
		CHECK_EQ(pthread_create(&thread, NULL, sleeping, NULL), 0);
		if (round % 2)
			sleep_ms(1);
		CHECK_EQ(pthread_cancel(thread), 0);
		CHECK_EQ(pthread_join(thread, &result), 0);
		CHECK(result == PTHREAD_CANCELED);
	}
	/* A thread that is cancelled before it runs has not pushed its handler yet. */
	CHECK(cleaned >= 20 && cleaned <= 40);
}

static void robust(int worker)
{
	pthread_mutexattr_t attributes;
	(void)worker;
	pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	CHECK_EQ(pthread_mutex_init(mutex, &attributes), 0);
	for (int round = 0; round < 30; round++) {
		pid_t pid = start();
		if (pid == 0) {
			CHECK_EQ(pthread_mutex_lock(mutex), 0);
			if (round % 2)
				kill(getpid(), SIGKILL);
			finish();
		}
		CHECK_EQ(ended(pid), round % 2 ? 128 + SIGKILL : 0);
		CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
		CHECK_EQ(pthread_mutex_consistent(mutex), 0);
		CHECK_EQ(pthread_mutex_unlock(mutex), 0);
	}
}

static volatile int go_on;

static void *busy(void *unused)
{
	while (go_on) {
		void *block = malloc(1 + counter % 1000);
		__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
		free(block);
	}
	return unused;
}

static void forks(int worker)
{
	(void)worker;
	go_on = 1;
	begin(busy);
	for (int round = 0; round < 20; round++) {
		pid_t pid = start();
		if (pid == 0) {
			free(malloc(100));
			int before = counter;
			sched_yield();
			CHECK_EQ(counter, before);
			finish();
		}
		CHECK_EQ(ended(pid), 0);
	}
	go_on = 0;
	finish_threads();
}

static void exits(int worker)
{
	for (int round = 0; round < 20; round++) {
		pid_t pid = start();
		if (pid == 0) {
			go_on = 1;
			begin(round % 2 ? busy : sleeping);
			_exit((round + worker) % 40);
		}
		CHECK_EQ(ended(pid), (round + worker) % 40);
	}
}

static void executes(int worker)
{
	for (int round = 0; round < 10; round++) {
		pid_t pid = start();
		if (pid == 0) {
			char number[16], *arguments[] = { "stress", "again", number, NULL };
			snprintf(number, sizeof number, "%d", (round + worker) % 40);
			go_on = 1;
			begin(round % 2 ? busy : sleeping);
			execv("/proc/self/exe", arguments);
			_exit(1);
		}
		CHECK_EQ(ended(pid), (round + worker) % 40 + 10);
	}
}

static const struct stressor stressors[] = {
	{ "creates", creates },	    { "detached", detached }, { "mutexes", mutexes },
	{ "inheriting", inheriting }, { "spins", spins },     { "rwlocks", rwlocks },
	{ "conditions", conditions }, { "timed-conditions", timed_conditions }, { "barriers", barriers },
	{ "semaphores", semaphores }, { "keys", keys },	      { "onces", onces },
	{ "cancels", cancels },	    { "robust", robust },     { "forks", forks },
	{ "exits", exits },	    { "executes", executes },
};

int main(int argc, char **argv)
{
	if (argc == 3)
		return atoi(argv[2]) + 10;
	return STRESS(stressors);
}
