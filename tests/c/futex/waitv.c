/* futex_waitv: waits for the first of several futexes, of one process and of several.
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "../interrupt.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

struct waiter {
	uint64_t value, address;
	uint32_t flags, reserved;
};

enum { WORD = 2, PRIVATE = 128 };

/* With 64-bit time, whatever the machine. */
struct limit {
	int64_t seconds, nanoseconds;
};

static long waitv(struct waiter *waiters, unsigned count, unsigned flags, struct limit *limit, int clock)
{
	return syscall(SYS_futex_waitv, waiters, count, flags, limit, clock);
}

static long wake(uint32_t *word, int count, int private)
{
#ifdef SYS_futex
	return syscall(SYS_futex, word, 1 | private, count, NULL, NULL, 0);
#else
	return syscall(SYS_futex_time64, word, 1 | private, count, NULL, NULL, 0);
#endif
}

static uint32_t words[3];

static struct waiter waiter(uint32_t *word, uint32_t value, uint32_t flags)
{
	return (struct waiter){ .value = value, .address = (uintptr_t)word, .flags = flags };
}

static void *waker(void *arg)
{
	int which = (int)(intptr_t)arg;
	sleep_ms(50);
	for (int i = 0; i < 300 && wake(&words[which], 1, PRIVATE) == 0; i++)
		sleep_ms(10);
	return NULL;
}

static void one_process(void)
{
	struct waiter all[3];
	for (int i = 0; i < 3; i++)
		all[i] = waiter(&words[i], 0, WORD | PRIVATE);
	CHECK_ERRNO(waitv(all, 0, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(waitv(all, 129, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(waitv(NULL, 1, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(waitv(all, 3, 1, NULL, 0), EINVAL);
	CHECK_ERRNO(waitv((struct waiter *)8, 1, 0, NULL, 0), EFAULT);
	all[1].flags = PRIVATE;
	CHECK_ERRNO(waitv(all, 3, 0, NULL, 0), EINVAL);
	all[1].flags = WORD | PRIVATE | 64;
	CHECK_ERRNO(waitv(all, 3, 0, NULL, 0), EINVAL);
	all[1] = waiter(&words[1], 0, WORD | PRIVATE);
	all[1].reserved = 1;
	CHECK_ERRNO(waitv(all, 3, 0, NULL, 0), EINVAL);
	all[1].reserved = 0;
	all[1].value = 7;
	CHECK_ERRNO(waitv(all, 3, 0, NULL, 0), EAGAIN);
	all[1].value = 0;
	all[1].address++;
	CHECK_ERRNO(waitv(all, 3, 0, NULL, 0), EINVAL);
	all[1].address--;
	struct limit limit = { 1, 0 };
	CHECK_ERRNO(waitv(all, 3, 0, &limit, CLOCK_MONOTONIC), ETIMEDOUT);
	CHECK_ERRNO(waitv(all, 3, 0, &limit, CLOCK_REALTIME), ETIMEDOUT);
	CHECK_ERRNO(waitv(all, 3, 0, &limit, CLOCK_BOOTTIME), EINVAL);
	limit.nanoseconds = 1000000000;
	CHECK_ERRNO(waitv(all, 3, 0, &limit, CLOCK_MONOTONIC), EINVAL);
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, waker, (void *)(intptr_t)i);
		CHECK_EQ(waitv(all, 3, 0, NULL, 0), i);
		pthread_join(thread, NULL);
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ(wake(&words[i], 1, PRIVATE), 0);
}

static void processes(void)
{
	uint32_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = start();
	if (pid == 0) {
		struct waiter all[2] = { waiter(&shared[0], 0, WORD), waiter(&shared[8], 0, WORD) };
		CHECK_EQ(waitv(all, 2, 0, NULL, 0), 1);
		finish();
	}
	int woken = 0;
	for (int i = 0; i < 300 && !woken; i++) {
		sleep_ms(10);
		woken = wake(&shared[8], 1, 0);
	}
	CHECK_EQ(woken, 1);
	CHECK_EQ(ended(pid), 0);
}

static void nothing(int signo)
{
	(void)signo;
}

static void interrupted(void)
{
	struct gate done = gate();
	handle(SIGUSR1, nothing, 0);
	pid_t pid = start();
	if (pid == 0) {
		struct waiter one = waiter(&words[0], 0, WORD | PRIVATE);
		CHECK_ERRNO(waitv(&one, 1, 0, NULL, 0), EINTR);
		gate_open(&done);
		finish();
	}
	signal_until(pid, SIGUSR1, &done);
	CHECK_EQ(ended(pid), 0);
}

int main(void)
{
	/* Filters of older containers do not know the call, natively. */
	if (waitv(NULL, 0, 0, NULL, 0) == -1 && errno == ENOSYS)
		return check_done();
	one_process();
	processes();
	interrupted();
	return check_done();
}
