/* What generated programs are made of: a checksum of all they compute, and points at which they may fork.
 *
 *     program                   runs through
 *     program through 3 5 9     forks at these points; the children go on, the parents pass on how they end
 *     program both 3 5          forks at these points; children and parents go on, so each prints the result
 *     program timer 10          forks that often in a signal handler, wherever it interrupts; the children go on
 *
 * Each process that runs to the end prints the checksum and how many points it has passed: always the same line.
 */
#ifndef POINTS_H
#define POINTS_H

#include <alloca.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int32_t i32;
typedef uint32_t u32;
typedef int64_t i64;
typedef uint64_t u64;
typedef float f32;
typedef double f64;
typedef u32 u32x4 __attribute__((vector_size(16)));
typedef f64 f64x2 __attribute__((vector_size(16)));

#define FAR __attribute__((noinline))

static u64 sum = 0x9e3779b97f4a7c15;
/* Calls that may still be made, so that every program ends. */
static u32 fuel;
static u32 points;
/* Where the next longjmp goes. */
static sigjmp_buf *jump_target;

static enum { RUN, THROUGH, BOTH } mode;
static u32 chosen[1024], chosen_count, next_chosen;
static volatile int timer_forks;

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		_exit(9);
	}
}

/* The status of a child, as a shell shows it. */
static int status_of(pid_t child)
{
	int status;
	pid_t got;
	while ((got = waitpid(child, &status, 0)) < 0 && errno == EINTR)
		;
	must(got == child, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static FAR void fork_here(void)
{
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child == 0)
		return;
	int status = status_of(child);
	if (mode != BOTH || status != 0)
		_exit(status);
}

static FAR void point(void)
{
	u32 here = points++;
	while (next_chosen < chosen_count && chosen[next_chosen] < here)
		next_chosen++;
	if (next_chosen < chosen_count && chosen[next_chosen] == here) {
		next_chosen++;
		fork_here();
	}
}

static void start_timer(void)
{
	struct itimerval often = { { 0, 400 }, { 0, 400 } };
	must(setitimer(ITIMER_REAL, &often, NULL) == 0, "setitimer");
}

static void on_alarm(int signo)
{
	int saved = errno;
	if (timer_forks > 0) {
		timer_forks--;
		fork_here();
		/* Timers are not inherited. */
		start_timer();
	}
	errno = saved + 0 * signo;
}

static inline void mix(u64 value)
{
	sum = (sum ^ value) * 0x100000001b3;
	sum ^= sum >> 29;
}

/* Which NaN it is differs between processors. */
static inline void mix_double(f64 value)
{
	u64 bits = 0x7ff8000000000000;
	if (value == value)
		memcpy(&bits, &value, sizeof bits);
	mix(bits);
}

static inline i64 whole(f64 value)
{
	return value > -9e18 && value < 9e18 ? (i64)value : value != value ? 17 : -3;
}

static inline int spend(void)
{
	return fuel != 0 ? (fuel--, 1) : 0;
}

static void on_signal(int signo)
{
	volatile f64 kept = signo * 0.5;
	point();
	mix_double(kept);
}

/* raise finds out who it is before it sends: a child that is made between the two would send to its parent. */
static FAR void send_self(void)
{
	sigset_t alarm, before;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm, &before);
	raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;
	f64 before = x * 0.5 - y;
	point();
	return before != x * 0.5 - y ? 0 : (x > y) - (x < y);
}

static FAR void sort(u32 *numbers, u32 count)
{
	qsort(numbers, count, sizeof *numbers, compare);
}

/* Arguments of the kinds that the letters name: i32, i64 and double. */
static FAR u64 variadic(const char *kinds, ...)
{
	va_list list;
	u64 result = 0;
	va_start(list, kinds);
	for (; *kinds; kinds++) {
		if (*kinds == 'i')
			result = result * 31 + (u32)va_arg(list, i32);
		else if (*kinds == 'l')
			result = result * 31 + (u64)va_arg(list, i64);
		else
			result = result * 31 + (u64)whole(va_arg(list, f64));
		point();
	}
	va_end(list);
	return result;
}

/* The generated part. */
static void program(void);

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "through") == 0)
		mode = THROUGH;
	if (argc > 1 && strcmp(argv[1], "both") == 0)
		mode = BOTH;
	if (mode != RUN)
		for (int i = 2; i < argc && chosen_count < 1024; i++)
			chosen[chosen_count++] = (u32)strtoul(argv[i], NULL, 10);
	signal(SIGUSR1, on_signal);
	signal(SIGALRM, on_alarm);
	if (argc > 2 && strcmp(argv[1], "timer") == 0) {
		mode = THROUGH;
		timer_forks = atoi(argv[2]);
		start_timer();
	}
	program();
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	must(setitimer(ITIMER_REAL, &off, NULL) == 0, "setitimer");
	printf("%016llx after %u points\n", (unsigned long long)sum, points);
	return 0;
}

#endif
