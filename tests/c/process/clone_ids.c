/* CLONE_PARENT_SETTID, CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID (with its futex wake) and set_tid_address. */
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "clone.h"

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

static pid_t in_parent, in_child_word;
static struct gate go;

static int sees(void *argument)
{
	(void)argument;
	return in_child_word == getpid() ? 11 : 12;
}

static int waits(void *argument)
{
	(void)argument;
	gate_wait(&go);
	return 0;
}

static int make(int flags, int (*function)(void *), pid_t *parent_word, pid_t *child_word)
{
	char *stack = malloc(CLONE_STACK);
	fflush(stdout);
	return clone(function, stack + CLONE_STACK, flags, NULL, parent_word, NULL, child_word);
}

int main(void)
{
	int pid = make(CLONE_PARENT_SETTID | SIGCHLD, sees, &in_parent, &in_child_word);
	CHECK_EQ(in_parent, pid);
	CHECK_EQ(ended(pid), 12);
	CHECK_EQ(in_child_word, 0);

	/* Without CLONE_VM the child's word is in its own copy. */
	in_parent = 0;
	pid = make(CLONE_CHILD_SETTID | SIGCHLD, sees, &in_parent, &in_child_word);
	CHECK_EQ(in_parent, 0);
	CHECK_EQ(ended(pid), 11);
	CHECK_EQ(in_child_word, 0);

	pid = make(CLONE_VM | CLONE_CHILD_SETTID | CLONE_PARENT_SETTID | SIGCHLD, sees, &in_parent, &in_child_word);
	CHECK_EQ(ended(pid), 11);
	CHECK_EQ(in_child_word, pid);
	CHECK_EQ(in_parent, pid);

	/* Cleared, with a wake-up, when the child leaves a memory that others use. */
	go = gate();
	in_child_word = 0;
	pid = make(CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, waits, NULL, &in_child_word);
	CHECK(pid > 0);
	gate_open(&go);
	pid_t seen;
	while ((seen = *(volatile pid_t *)&in_child_word) != 0 || waitpid(pid, NULL, WNOHANG) == 0)
		if (seen == pid)
			syscall(SYS_futex, &in_child_word, FUTEX_WAIT, pid, NULL);
	CHECK_EQ(in_child_word, 0);

	/* In a mapping that is shared between memories it is cleared only while somebody else uses the memory: not here. */
	pid_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = make(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, sees, NULL, shared);
	CHECK_EQ(ended(pid), 12);
	CHECK_EQ(*shared, pid);

	/* set_tid_address answers with the caller's tid. */
	pid = start();
	if (pid == 0) {
		static pid_t word;
		CHECK_EQ(syscall(SYS_set_tid_address, &word), getpid());
		finish();
	}
	CHECK_EQ(ended(pid), 0);

	/* Words that cannot be written: the child exists all the same. */
	pid = make(CLONE_CHILD_SETTID | SIGCHLD, sees, NULL, (pid_t *)16);
	CHECK(pid > 0);
	CHECK_EQ(ended(pid), 12);
	CHECK_ERRNO(wait(NULL), ECHILD);
	return check_done();
}
