/* Contexts and signals: handlers that switch between busy loops, fork among these, masks that the program changes.
 *
 * @opt -O0 -O2
 */
#include <sys/time.h>
#include <ucontext.h>
#include "process.h"

enum { STACK = 256 * 1024, LOOPS = 3, ROUNDS = 30 };

static ucontext_t mains, contexts[LOOPS];
static volatile sig_atomic_t current, switches, forked, over;
static volatile unsigned long counts[LOOPS];
static volatile int handled;
static pid_t child;

static void set(ucontext_t *context, ucontext_t *link, void (*function)(void), int number)
{
	CHECK_OK(getcontext(context));
	context->uc_stack.ss_sp = malloc(STACK);
	context->uc_stack.ss_size = STACK;
	context->uc_link = link;
	makecontext(context, (void (*)(void))function, 1, number);
}

static void alarm_in(int ms)
{
	struct itimerval time = { { 0, 0 }, { 0, ms * 1000 } };
	setitimer(ITIMER_REAL, &time, NULL);
}

static int all_ran(void)
{
	for (int i = 0; i < LOOPS; i++)
		if (counts[i] == 0)
			return 0;
	return 1;
}

/* The scheduler: each alarm interrupts a loop that never calls anything. All switches are made with SIGALRM blocked:
 * what interrupts swapcontext when the mask is the next context's already, and the registers are not yet, would save
 * itself as that context. An alarm that is due already comes before the next loop's first instruction, so the number
 * of alarms alone does not say that all loops ran. */
static void tick(int signo)
{
	(void)signo;
	int from = current;
	/* One that was on its way when the last one came. */
	if (over)
		return;
	switches++;
	if (switches >= ROUNDS && forked) {
		over = 1;
		setcontext(&mains);
		return;
	}
	if (switches >= ROUNDS / 2 && all_ran() && !forked) {
		forked = 1;
		child = fork();
	}
	if (!forked || child != 0)
		alarm_in(1 + switches % 5);
	current = (from + 1) % LOOPS;
	swapcontext(&contexts[from], &contexts[current]);
}

static void spin(int number)
{
	double value = number;
	unsigned long last = 0;
	mask(SIG_UNBLOCK, SIGALRM);
	for (unsigned long i = 1;; i++) {
		value = value * 0.5 + number;
		counts[number] = i;
		if (i != last + 1)
			_exit(77);
		last = i;
		if (!(value >= number))
			_exit(78);
	}
}

static void count(int signo)
{
	(void)signo;
	handled++;
}

static ucontext_t one;
static volatile int reached;

static void unblocked(void)
{
	CHECK(!is_blocked(SIGUSR1));
	CHECK(is_blocked(SIGUSR2));
	reached++;
}

/* A handler that leaves by setcontext; the mask is that of the context. */
static void leave(int signo)
{
	CHECK(is_blocked(signo));
	setcontext(&mains);
}

/* A handler that runs to its end in another context's time. */
static void away(int signo)
{
	CHECK(is_blocked(signo));
	swapcontext(&one, &mains);
	CHECK(is_blocked(signo));
	handled++;
}

static void raises(void)
{
	raise(SIGUSR1);
	CHECK(!is_blocked(SIGUSR1));
	reached++;
}

static void exits(void)
{
	reached++;
}

static void last_one(void)
{
	set(&one, NULL, exits, 0);
	setcontext(&one);
	_exit(3);
}

int main(void)
{
	handle(SIGALRM, tick, 0);
	for (int i = 0; i < LOOPS; i++) {
		set(&contexts[i], NULL, (void (*)(void))spin, i);
		sigaddset(&contexts[i].uc_sigmask, SIGALRM);
	}
	volatile int back = 0;
	CHECK_OK(getcontext(&mains));
	if (back++ == 0) {
		mask(SIG_BLOCK, SIGALRM);
		alarm_in(2);
		setcontext(&contexts[0]);
	}
	/* Both processes come here. */
	CHECK(!is_blocked(SIGALRM));
	if (forked && child == 0) {
		CHECK(all_ran());
		finish();
	}
	CHECK(forked);
	CHECK(all_ran());
	/* The child goes on to switch when it gets alarms, too. */
	for (int i = 0; i < 5000 && kill(child, SIGALRM) == 0; i++) {
		int status;
		if (waitpid(child, &status, WNOHANG) == child) {
			CHECK_EQ(shell_status(status), 0);
			child = 0;
			break;
		}
		sleep_ms(2);
	}
	CHECK_EQ(child, 0);

	/* The mask in the context is the program's to change; what is pending then comes. */
	handle(SIGUSR1, count, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	set(&one, &mains, (void (*)(void))unblocked, 0);
	sigdelset(&one.uc_sigmask, SIGUSR1);
	sigaddset(&one.uc_sigmask, SIGUSR2);
	CHECK_EQ(handled, 0);
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(reached, 1);
	CHECK_EQ(handled, 1);
	CHECK(is_blocked(SIGUSR1));
	CHECK(!is_blocked(SIGUSR2));
	mask(SIG_UNBLOCK, SIGUSR1);

	handle(SIGUSR1, leave, 0);
	back = 0;
	CHECK_OK(getcontext(&mains));
	if (back++ < 5)
		raise(SIGUSR1);
	CHECK_EQ(back, 6);
	CHECK(!is_blocked(SIGUSR1));

	handle(SIGUSR1, away, 0);
	set(&one, &mains, (void (*)(void))raises, 0);
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(handled, 1);
	CHECK(!is_blocked(SIGUSR1));
	CHECK_OK(swapcontext(&mains, &one));
	CHECK_EQ(handled, 2);
	CHECK_EQ(reached, 2);

	/* A context without a successor ends the process with status 0. */
	CHECK_EQ(in_child(last_one), 0);
	return check_done();
}
