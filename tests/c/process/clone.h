/* clone(2) with a stack of its own for the child. */
#ifndef CLONE_H
#define CLONE_H

#include <sched.h>
#include "process.h"

enum { CLONE_STACK = 256 * 1024 };

/* Starts a function by clone with the flags and the signal in them; the stack is never given back. */
static inline int clone_with(int flags, int (*function)(void *), void *argument)
{
	char *stack = malloc(CLONE_STACK);
	if (stack == NULL)
		abort();
	fflush(stdout);
	return clone(function, stack + CLONE_STACK, flags, argument, NULL, NULL, NULL);
}

#endif
