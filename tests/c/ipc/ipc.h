/* What tests of System V IPC share. */
#ifndef IPC_H
#define IPC_H

#include <sys/ipc.h>
#include <sys/types.h>
#include <unistd.h>
#include "../interrupt.h"

/* Gives up the rights of a superuser, who may do everything. */
static inline void as_nobody(void)
{
	if (geteuid() == 0 && setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) < 0)
		abort();
}

/* Waits until a condition holds, at most five seconds. */
#define EVENTUALLY(condition)                                                   \
	do {                                                                    \
		int tries = 0;                                                  \
		while (!(condition) && tries++ < 500)                           \
			sleep_ms(10);                                           \
		CHECK(condition);                                               \
	} while (0)

#endif
