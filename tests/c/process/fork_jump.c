/* fork after longjmp, and longjmp in the child to a point that was set before the fork.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 */
#include <setjmp.h>
#include "process.h"

static jmp_buf outer, inner;
static sigjmp_buf masked;
static pid_t child;

static volatile int levels = 1000;

static void __attribute__((noinline)) fork_below(int depth, jmp_buf target)
{
	volatile double guard = depth * 1.5;
	if (depth > levels)
		return;
	if (depth > 0) {
		fork_below(depth - 1, target);
	} else {
		child = start();
		longjmp(target, child == 0 ? 2 : 3);
	}
	if (guard != depth * 1.5)
		_exit(90);
}

int main(void)
{
	volatile int visits = 0;

	/* Jump, then fork at the place that was jumped to. */
	if (setjmp(outer) == 0)
		longjmp(outer, 5);
	child = start();
	if (child == 0) {
		/* The child may jump there again, as often as it likes. */
		visits = 0;
		if (setjmp(inner) == 0)
			visits = 100;
		else
			visits++;
		if (visits < 110)
			longjmp(inner, 1);
		CHECK_EQ(visits, 110);
		finish();
	}
	CHECK_EQ(ended(child), 0);

	/* Both processes jump out of the frames in which they forked. */
	for (int depth = 0; depth < 100; depth += 33) {
		int value = setjmp(outer);
		if (value == 0)
			fork_below(depth, outer);
		if (value == 2)
			finish();
		CHECK_EQ(value, 3);
		CHECK_EQ(ended(child), 0);
	}

	/* A point set in the parent is used in a grandchild; the mask of that time comes back. */
	mask(SIG_BLOCK, SIGUSR1);
	int value = sigsetjmp(masked, 1);
	if (value == 0) {
		child = start();
		if (child == 0) {
			mask(SIG_UNBLOCK, SIGUSR1);
			child = start();
			if (child == 0)
				siglongjmp(masked, 9);
			CHECK_EQ(ended(child), 0);
			CHECK(!is_blocked(SIGUSR1));
			finish();
		}
		CHECK_EQ(ended(child), 0);
	} else {
		CHECK_EQ(value, 9);
		CHECK(is_blocked(SIGUSR1));
		CHECK_EQ(child, 0);
		finish();
	}
	return check_done();
}
