/* Interrupting a child that waits, whenever it may begin to. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <poll.h>
#include "process.h"

/* Sends a signal again and again until the other side opens the gate, since nobody sees when it has begun to wait. */
static inline void signal_until(pid_t pid, int signo, struct gate *gate)
{
	struct pollfd open = { gate->end[0], POLLIN, 0 };
	for (int tries = 0; tries < 1000; tries++) {
		kill(pid, signo);
		if (poll(&open, 1, 10) > 0)
			break;
	}
	gate_wait(gate);
}

#endif
