/* Attributes of posix_spawn: signal mask, default dispositions, process group, session, reset of ids. */
#include <spawn.h>
#include "process.h"

extern char **environ;
static char *self;

static int child(char **argv)
{
	struct sigaction action;
	if (!strcmp(argv[1], "group"))
		return getpgrp() == getpid() ? 1 : getpgrp() == getpgid(getppid()) ? 2 : 3;
	if (!strcmp(argv[1], "session"))
		return getsid(0) == getpid() ? 1 : getsid(0) == getsid(getppid()) ? 2 : 3;
	int bits = is_blocked(SIGUSR1) | is_blocked(SIGUSR2) << 1;
	sigaction(SIGHUP, NULL, &action);
	bits |= (action.sa_handler == SIG_IGN) << 2;
	sigaction(SIGTERM, NULL, &action);
	bits |= (action.sa_handler == SIG_IGN) << 3;
	sigaction(SIGALRM, NULL, &action);
	return bits | (action.sa_handler == SIG_DFL) << 4;
}

static void handler(int signo)
{
	(void)signo;
}

static int spawned(const posix_spawnattr_t *attributes, char *what)
{
	char *args[] = { self, what, NULL };
	pid_t pid;
	fflush(stdout);
	CHECK_EQ(posix_spawn(&pid, self, NULL, attributes, args, environ), 0);
	return ended(pid);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child(argv);
	self = argv[0];
	posix_spawnattr_t a;
	sigset_t set, got;
	short flags;
	pid_t group;
	CHECK_EQ(posix_spawnattr_init(&a), 0);
	CHECK_EQ(posix_spawnattr_getflags(&a, &flags), 0);
	CHECK_EQ(flags, 0);
	CHECK_EQ(posix_spawnattr_setflags(&a, 0x4000), EINVAL);

	/* Without attributes: ignored stays ignored, handlers go, the mask is the caller's. */
	CHECK_OK(handle(SIGALRM, handler, 0));
	CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR && signal(SIGTERM, SIG_IGN) != SIG_ERR);
	mask(SIG_BLOCK, SIGUSR1);
	CHECK_EQ(spawned(NULL, "signals"), 1 | 4 | 8 | 16);
	CHECK_EQ(spawned(&a, "signals"), 1 | 4 | 8 | 16);
	CHECK(is_blocked(SIGUSR1) && !is_blocked(SIGUSR2) && !is_blocked(SIGTERM));

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(posix_spawnattr_setsigmask(&a, &set), 0);
	CHECK_EQ(posix_spawnattr_getsigmask(&a, &got), 0);
	CHECK(sigismember(&got, SIGUSR2) && !sigismember(&got, SIGUSR1));
	CHECK_EQ(spawned(&a, "signals"), 1 | 4 | 8 | 16);
	CHECK_EQ(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSIGMASK), 0);
	CHECK_EQ(spawned(&a, "signals"), 2 | 4 | 8 | 16);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	CHECK_EQ(posix_spawnattr_setsigdefault(&a, &set), 0);
	CHECK_EQ(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSIGDEF), 0);
	CHECK_EQ(spawned(&a, "signals"), 1 | 8 | 16);

	CHECK_EQ(spawned(NULL, "group"), 2);
	CHECK_EQ(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETPGROUP), 0);
	CHECK_EQ(posix_spawnattr_getpgroup(&a, &group), 0);
	CHECK_EQ(group, 0);
	CHECK_EQ(spawned(&a, "group"), 1);
	/* Into the group of another child. */
	struct gate go = gate();
	pid_t leader = start();
	if (leader == 0) {
		gate_wait(&go);
		finish();
	}
	CHECK_OK(setpgid(leader, leader));
	CHECK_EQ(posix_spawnattr_setpgroup(&a, leader), 0);
	CHECK_EQ(spawned(&a, "group"), 3);
	gate_open(&go);
	CHECK_EQ(ended(leader), 0);
	/* That group is gone now. */
	char *args[] = { self, "group", NULL };
	CHECK_EQ(posix_spawn(&group, self, NULL, &a, args, environ), EPERM);
	CHECK_ERRNO(wait(NULL), ECHILD);

	CHECK_EQ(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSID), 0);
	CHECK_EQ(spawned(&a, "session"), 1);
	CHECK_EQ(posix_spawnattr_setflags(&a, POSIX_SPAWN_RESETIDS | POSIX_SPAWN_USEVFORK), 0);
	CHECK_EQ(spawned(&a, "session"), 2);
	CHECK_EQ(posix_spawnattr_destroy(&a), 0);
	return check_done();
}
