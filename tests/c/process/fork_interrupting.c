/*
 * fork in a handler that interrupts a loop without calls: the loop goes on in both, with what it has in its variables,
 * and both can fork again.
 * @opt -O0 -O2
 */
#include <stdint.h>
#include <sys/time.h>
#include "process.h"

enum { ROUNDS = 20 };

static volatile sig_atomic_t forked;
static volatile pid_t child;

static void fork_once(int signo)
{
	(void)signo;
	if (forked)
		return;
	child = fork();
	forked = 1;
}

static uint64_t next(uint64_t value)
{
	return value * 6364136223846793005u + 1442695040888963407u;
}

static int is_right(uint64_t seed, uint64_t steps, uint64_t value, double halves)
{
	double expected = (double)steps / 2;
	while (steps-- > 0)
		seed = next(seed);
	return seed == value && halves == expected;
}

static void interrupted(uint64_t seed)
{
	uint64_t value = seed, steps = 0;
	double halves = 0;
	const struct itimerval soon = { .it_value = { .tv_usec = 1000 } };

	forked = 0;
	CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
	do {
		value = next(value);
		steps++;
		halves += 0.5;
	} while (!forked);
	pid_t first = child;
	CHECK(first >= 0);
	pid_t second = start();
	if (second == 0) {
		CHECK(is_right(seed, steps, value, halves));
		finish();
	}
	CHECK_EQ(ended(second), 0);
	CHECK(is_right(seed, steps, value, halves));
	if (first == 0)
		finish();
	CHECK_EQ(ended(first), 0);
}

int main(void)
{
	CHECK_OK(handle(SIGALRM, fork_once, 0));
	for (int i = 0; i < ROUNDS; i++)
		interrupted(i);
	return check_done();
}
