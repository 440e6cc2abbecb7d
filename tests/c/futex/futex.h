/* futex(2), with 64-bit time on every machine. */
#ifndef FUTEX_H
#define FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "process.h"

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

typedef _Atomic uint32_t word;

static inline long futex(void *at, int operation, uint32_t value, const struct timespec *time, void *other, uint32_t third)
{
	return syscall(SYS_futex, at, operation, value, time, other, third);
}

/* The operations that take a second count where the time would be. */
static inline long futex2(void *at, int operation, uint32_t value, uint32_t second, void *other, uint32_t third)
{
	return syscall(SYS_futex, at, operation, value, (long)second, other, third);
}

static inline struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec at;
	clock_gettime(clock, &at);
	long long ns = at.tv_nsec + ms * 1000000LL;
	at.tv_sec += ns / 1000000000;
	at.tv_nsec = ns % 1000000000;
	return at;
}

/* Milliseconds since a moment of the monotonic clock. */
static inline long ms_since(const struct timespec *then)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

#endif
