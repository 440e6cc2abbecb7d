/* Handlers in handlers, blocked calls in handlers, signals that come while others are handled; errno is the program's business. */
#include <sys/time.h>
#include "process.h"

static volatile int depth, deepest, alarms, order_bad;
static int ends[2];

static void on_chain(int signo)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (signo < SIGRTMIN + 20)
		raise(signo + 1);
	depth--;
}

static void on_alarm(int signo)
{
	(void)signo;
	alarms++;
	errno = EPROTO;
}

static void blocks(int signo)
{
	char byte;
	(void)signo;
	/* A blocked call inside a handler is interrupted as well. */
	ssize_t n = read(ends[0], &byte, 1);
	if (n != -1 || errno != EINTR)
		order_bad = 1;
}

static volatile unsigned turns;

/* Work that would show any register that a handler spoils. */
static unsigned long long work(void)
{
	unsigned long long a = 1, b = 2, c = 3;
	double x = 1, y = 2, z = 3;
	for (int i = 0; i < 300000; i++) {
		a = a * 6364136223846793005ULL + b;
		b ^= a >> 7;
		c += b * 3;
		x = x * 0.999 + y;
		y = y * 0.998 + (double)(c & 7);
		z += x - y;
	}
	return a ^ b ^ c ^ (unsigned long long)(long long)(x * 1000) ^ (unsigned long long)(long long)(z * 10);
}

int main(void)
{
	struct itimerval often = { { 0, 300 }, { 0, 300 } }, slow = { { 0, 3000 }, { 0, 3000 } }, off = { { 0, 0 }, { 0, 0 } };
	CHECK_OK(pipe(ends));
	for (int i = 0; i <= 20; i++)
		CHECK_OK(handle(SIGRTMIN + i, on_chain, 0));
	CHECK_OK(raise(SIGRTMIN));
	CHECK_EQ(deepest, 21);
	CHECK_EQ(depth, 0);

	CHECK_OK(handle(SIGALRM, on_alarm, SA_RESTART));
	unsigned long long expected = work();
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	while (alarms < 20)
		CHECK(work() == expected);
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));

	CHECK_OK(handle(SIGALRM, on_alarm, 0));
	CHECK_OK(handle(SIGUSR1, blocks, 0));
	CHECK_OK(setitimer(ITIMER_REAL, &slow, NULL));
	for (int i = 0; i < 5; i++)
		CHECK_OK(raise(SIGUSR1));
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
	CHECK_EQ(order_bad, 0);
	/* What a handler leaves in errno is seen where no call sets it. */
	CHECK_OK(handle(SIGUSR2, on_alarm, 0));
	errno = 0;
	kill(getpid(), SIGUSR2);
	CHECK_EQ(errno, EPROTO);
	return check_done();
}
