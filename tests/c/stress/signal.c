/* Stress of signals: sending, waiting, handlers, timers. */
#include <pthread.h>
#include <setjmp.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include "stress.h"

static volatile sig_atomic_t seen;
static volatile int value_sum;

static void count(int signo)
{
	(void)signo;
	seen++;
}

static void count_value(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	seen++;
	value_sum += info->si_value.sival_int;
}

static void raises(int worker)
{
	(void)worker;
	handle(SIGUSR1, count, 0);
	for (int i = 1; i <= 2000; i++) {
		CHECK_OK(raise(SIGUSR1));
		CHECK_EQ(seen, i);
	}
}

static void ignored(int worker)
{
	(void)worker;
	for (int i = 0; i < 1000; i++) {
		handle(SIGUSR1, i % 2 ? SIG_IGN : count, 0);
		CHECK_OK(kill(getpid(), SIGUSR1));
	}
	CHECK_EQ(seen, 500);
}

static void queued(int worker)
{
	(void)worker;
	handle_info(SIGRTMIN + 1, count_value, 0);
	for (int round = 0; round < 10; round++) {
		mask(SIG_BLOCK, SIGRTMIN + 1);
		seen = value_sum = 0;
		for (int i = 0; i < 50; i++)
			CHECK_OK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i }));
		CHECK_EQ(seen, 0);
		mask(SIG_UNBLOCK, SIGRTMIN + 1);
		CHECK_EQ(seen, 50);
		CHECK_EQ(value_sum, 50 * 49 / 2);
	}
}

static void waits(int worker)
{
	sigset_t set;
	(void)worker;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t parent = getpid(), pid = start();
	if (pid == 0) {
		for (int i = 0; i < 200; i++)
			while (sigqueue(parent, SIGRTMIN, (union sigval){ .sival_int = i }) < 0)
				sched_yield();
		finish();
	}
	for (int i = 0; i < 200; i++) {
		siginfo_t info;
		CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
		CHECK_EQ(info.si_value.sival_int, i);
		CHECK_EQ(info.si_pid, pid);
	}
	CHECK_EQ(ended(pid), 0);
	struct timespec brief = { 0, 1000000 };
	CHECK_ERRNO(sigtimedwait(&set, NULL, &brief), EAGAIN);
}

static void suspends(int worker)
{
	sigset_t none;
	(void)worker;
	handle(SIGUSR1, count, 0);
	handle(SIGUSR2, count, 0);
	mask(SIG_BLOCK, SIGUSR1);
	sigemptyset(&none);
	pid_t parent = getpid(), pid = start();
	if (pid == 0) {
		mask(SIG_BLOCK, SIGUSR2);
		for (int i = 0; i < 100; i++) {
			int signo;
			sigset_t answer;
			kill(parent, SIGUSR1);
			sigemptyset(&answer);
			sigaddset(&answer, SIGUSR2);
			sigwait(&answer, &signo);
		}
		finish();
	}
	for (int i = 1; i <= 100; i++) {
		CHECK_ERRNO(sigsuspend(&none), EINTR);
		CHECK_EQ(seen, i);
		kill(pid, SIGUSR2);
	}
	CHECK_EQ(ended(pid), 0);
}

static void pending(int worker)
{
	(void)worker;
	handle(SIGUSR1, count, 0);
	for (int i = 1; i <= 300; i++) {
		mask(SIG_BLOCK, SIGUSR1);
		CHECK_EQ(is_pending(SIGUSR1), 0);
		raise(SIGUSR1);
		raise(SIGUSR1);
		CHECK_EQ(is_pending(SIGUSR1), 1);
		mask(SIG_UNBLOCK, SIGUSR1);
		CHECK_EQ(seen, i);
	}
}

static void intervals(int worker)
{
	struct itimerval each = { { 0, 2000 }, { 0, 2000 } }, off = { 0 };
	(void)worker;
	handle(SIGALRM, count, 0);
	CHECK_OK(setitimer(ITIMER_REAL, &each, NULL));
	while (seen < 30)
		pause();
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
}

static void spinning(int worker)
{
	struct itimerval each = { { 0, 2000 }, { 0, 2000 } }, off = { 0 };
	(void)worker;
	handle(SIGVTALRM, count, 0);
	CHECK_OK(setitimer(ITIMER_VIRTUAL, &each, NULL));
	for (volatile unsigned spin = 0; seen < 10; spin++)
		;
	CHECK_OK(setitimer(ITIMER_VIRTUAL, &off, NULL));
}

static void timers(int worker)
{
	(void)worker;
	handle_info(SIGRTMIN + 2, count_value, 0);
	for (int round = 0; round < 10; round++) {
		timer_t id[4];
		seen = 0;
		for (int i = 0; i < 4; i++) {
			struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2 };
			struct itimerspec once = { { 0, 0 }, { 0, 1000000 * (i + 1) } };
			CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &id[i]));
			CHECK_OK(timer_settime(id[i], 0, &once, NULL));
		}
		for (int tries = 0; seen < 4 && tries < 20000; tries++)
			sleep_ms(1);
		CHECK_EQ(seen, 4);
		for (int i = 0; i < 4; i++)
			CHECK_OK(timer_delete(id[i]));
	}
}

static void descriptors(int worker)
{
	sigset_t set;
	(void)worker;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	struct signalfd_siginfo info;
	for (int i = 0; i < 300; i++) {
		CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN);
		CHECK_OK(raise(SIGUSR1));
		CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
		CHECK_EQ(info.ssi_signo, SIGUSR1);
		CHECK_EQ(info.ssi_pid, getpid());
	}
	close(fd);
}

static void timer_descriptors(int worker)
{
	(void)worker;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec each = { { 0, 1000000 }, { 0, 1000000 } };
	uint64_t ticks, all = 0;
	CHECK_OK(timerfd_settime(fd, 0, &each, NULL));
	while (all < 30) {
		CHECK_EQ(read(fd, &ticks, sizeof ticks), sizeof ticks);
		CHECK(ticks >= 1);
		all += ticks;
	}
	close(fd);
}

static char other_stack[65536];

static void on_other_stack(int signo)
{
	char here;
	(void)signo;
	seen += &here >= other_stack && &here < other_stack + sizeof other_stack;
}

static void stacks(int worker)
{
	stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof other_stack };
	(void)worker;
	CHECK_OK(sigaltstack(&stack, NULL));
	handle(SIGUSR1, on_other_stack, SA_ONSTACK);
	for (int i = 1; i <= 500; i++) {
		raise(SIGUSR1);
		CHECK_EQ(seen, i);
	}
}

static volatile int depth;

static void nested(int signo)
{
	seen++;
	if (++depth < 20)
		raise(signo);
	depth--;
}

static void nesting(int worker)
{
	(void)worker;
	handle(SIGUSR1, nested, SA_NODEFER);
	for (int i = 1; i <= 50; i++) {
		raise(SIGUSR1);
		CHECK_EQ(seen, 20 * i);
		CHECK_EQ(depth, 0);
	}
}

static sigjmp_buf back;
static volatile int *volatile nowhere = (volatile int *)16;

static void jump_out(int signo)
{
	siglongjmp(back, signo);
}

static void jumps(int worker)
{
	static const int signals[] = { SIGUSR1, SIGSEGV, SIGTERM };
	volatile int caught = 0;
	(void)worker;
	for (size_t i = 0; i < COUNT(signals); i++)
		handle(signals[i], jump_out, 0);
	for (volatile int i = 0; i < 900; i++) {
		if (sigsetjmp(back, 1) == 0) {
			if (signals[i % 3] == SIGSEGV)
				*nowhere = 1;
			raise(signals[i % 3]);
			CHECK(!"reached");
		}
		caught++;
	}
	CHECK_EQ(caught, 900);
}

static void divisions(int worker)
{
	volatile int zero = 0, caught = 0;
	(void)worker;
	handle(SIGFPE, jump_out, 0);
	for (volatile int i = 0; i < 200; i++) {
		if (sigsetjmp(back, 1) == 0) {
			volatile int quotient = i / zero;
			(void)quotient;
		}
		caught++;
	}
	CHECK_EQ(caught, 200);
}

static void interrupted(int worker)
{
	int end[2];
	char byte;
	struct itimerval each = { { 0, 3000 }, { 0, 3000 } }, off = { 0 };
	(void)worker;
	CHECK_OK(pipe(end));
	handle(SIGALRM, count, 0);
	CHECK_OK(setitimer(ITIMER_REAL, &each, NULL));
	for (int i = 0; i < 20; i++)
		CHECK_ERRNO(read(end[0], &byte, 1), EINTR);
	CHECK(seen >= 20);
	handle(SIGALRM, count, SA_RESTART);
	pid_t pid = start();
	if (pid == 0) {
		sleep_ms(30);
		CHECK_EQ(write(end[1], "x", 1), 1);
		finish();
	}
	CHECK_EQ(read(end[0], &byte, 1), 1);
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
	CHECK_EQ(ended(pid), 0);
}

static volatile int stop;

static void *kicks(void *thread)
{
	while (!stop) {
		pthread_kill(*(pthread_t *)thread, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

static void bombarded(int worker)
{
	pthread_t self = pthread_self(), other;
	uint64_t sum = 0;
	(void)worker;
	handle(SIGUSR1, count, SA_RESTART);
	CHECK_EQ(pthread_create(&other, NULL, kicks, &self), 0);
	for (uint32_t i = 0; i < 3000000; i++)
		sum += i ^ (i >> 3);
	uint64_t again = 0;
	stop = 1;
	CHECK_EQ(pthread_join(other, NULL), 0);
	for (uint32_t i = 0; i < 3000000; i++)
		again += i ^ (i >> 3);
	CHECK_EQ(sum, again);
}

static void between(int worker)
{
	/* Two processes answer each other with signals. */
	sigset_t set;
	int signo;
	(void)worker;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t parent = getpid(), pid = start();
	if (pid == 0) {
		for (int i = 0; i < 200; i++) {
			sigwait(&set, &signo);
			kill(parent, SIGUSR1);
		}
		finish();
	}
	for (int i = 0; i < 200; i++) {
		kill(pid, SIGUSR1);
		CHECK_EQ(sigwait(&set, &signo), 0);
	}
	CHECK_EQ(ended(pid), 0);
}

static const struct stressor stressors[] = {
	{ "raises", raises },	    { "ignored", ignored },	{ "queued", queued },
	{ "waits", waits },	    { "suspends", suspends },	{ "pending", pending },
	{ "intervals", intervals }, { "spinning", spinning },	{ "timers", timers },
	{ "descriptors", descriptors }, { "timer-descriptors", timer_descriptors }, { "stacks", stacks },
	{ "nesting", nesting },	    { "jumps", jumps },		{ "divisions", divisions },
	{ "interrupted", interrupted }, { "bombarded", bombarded }, { "between", between },
};

int main(void)
{
	return STRESS(stressors);
}
