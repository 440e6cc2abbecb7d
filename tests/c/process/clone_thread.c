/* CLONE_THREAD by hand: the same process, its own tid, its end leaves the process alive. */
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include "clone.h"

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

static atomic_int its_tid, its_pid, word;

/* Uses nothing of the C library's per-thread data but calls: it shares that data with its maker. */
static int thread(void *argument)
{
	(void)argument;
	its_pid = getpid();
	its_tid = (int)syscall(SYS_gettid);
	return 0;
}

int main(void)
{
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_SETTID |
		    CLONE_CHILD_CLEARTID;
	char *stack = malloc(CLONE_STACK);
	word = -1;
	int tid = clone(thread, stack + CLONE_STACK, flags, NULL, NULL, NULL, (pid_t *)&word);
	CHECK(tid > 0 && tid != getpid());
	for (int now; (now = word) != 0;)
		syscall(SYS_futex, &word, FUTEX_WAIT, now, NULL);
	CHECK_EQ(its_pid, getpid());
	CHECK_EQ(its_tid, tid);
	CHECK_ERRNO(waitpid(tid, NULL, __WALL), ECHILD);
	return check_done();
}
