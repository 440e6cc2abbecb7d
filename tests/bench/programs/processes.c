/* What processes, threads and signals cost: `PROGRAM NAME COUNT` prints the wall time of one NAME in nanoseconds. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

extern char **environ;
static char *self;

static void ended(pid_t pid)
{
	int status;
	if (pid < 0)
		fail("fork");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	if (status != 0) {
		fprintf(stderr, "a child ended with %#x\n", (unsigned)status);
		exit(1);
	}
}

/* fork with so many MiB written before; the child writes one byte in each of the pages of `written` of them. */
static void fork_with(long count, size_t dirty, size_t written)
{
	char *memory = NULL;
	if (dirty) {
		memory = malloc(dirty);
		if (!memory)
			fail("malloc");
		memset(memory, 1, dirty);
	}
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			for (size_t at = 0; at < written; at += 4096)
				memory[at] = 2;
			_exit(0);
		}
		ended(pid);
	}
	free(memory);
}

static void fork_0(long n) { fork_with(n, 0, 0); }
static void fork_1(long n) { fork_with(n, 1 << 20, 1 << 20); }
static void fork_16(long n) { fork_with(n, 16 << 20, 0); }

static void vfork_exec(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			execl(self, self, "nothing", "0", (char *)NULL);
			_exit(1);
		}
		ended(pid);
	}
}

static void spawn(long count)
{
	for (long i = 0; i < count; i++) {
		char *arguments[] = { self, "nothing", "0", NULL };
		pid_t pid;
		if (posix_spawn(&pid, self, NULL, NULL, arguments, environ) != 0)
			fail("posix_spawn");
		ended(pid);
	}
}

static void fork_exec(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			execl(self, self, "nothing", "0", (char *)NULL);
			_exit(1);
		}
		ended(pid);
	}
}

static void *nothing_to_do(void *argument)
{
	return argument;
}

static void thread(long count)
{
	for (long i = 0; i < count; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, nothing_to_do, NULL) != 0)
			fail("pthread_create");
		pthread_join(thread, NULL);
	}
}

/* One byte there and one back, between two processes. */
static void ping_pong(long count)
{
	int there[2], back[2];
	char byte = 0;
	if (pipe(there) < 0 || pipe(back) < 0)
		fail("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1)
			if (write(back[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (long i = 0; i < count; i++)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			fail("ping");
	close(there[1]);
	ended(pid);
	close(there[0]);
	close(back[0]);
	close(back[1]);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;

static void take_turns(int own, long count)
{
	pthread_mutex_lock(&lock);
	for (long i = 0; i < count; i++) {
		while (turn != own)
			pthread_cond_wait(&turned, &lock);
		turn = !own;
		pthread_cond_signal(&turned);
	}
	pthread_mutex_unlock(&lock);
}

static void *other_turn(void *count)
{
	take_turns(1, *(long *)count);
	return NULL;
}

/* Two threads take turns with a condition variable: two switches. */
static void switches(long count)
{
	pthread_t other;
	turn = 0;
	if (pthread_create(&other, NULL, other_turn, &count) != 0)
		fail("pthread_create");
	take_turns(0, count);
	pthread_join(other, NULL);
}

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	(void)number;
	caught++;
}

/* A signal to the own process, handled. */
static void signal_self(long count)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGUSR1, &action, NULL);
	caught = 0;
	for (long i = 0; i < count; i++)
		kill(getpid(), SIGUSR1);
	if (caught != count)
		fail("signals were lost");
}

static void jump(long count)
{
	for (long i = 0; i < count; i++) {
		jmp_buf buffer;
		if (setjmp(buffer) == 0)
			caught = 1;
	}
}

static jmp_buf out;

__attribute__((noinline)) static int deeper(int depth)
{
	if (depth == 0)
		longjmp(out, 1);
	return deeper(depth - 1) + caught;
}

static void jump_5(long count)
{
	for (volatile long i = 0; i < count; i++)
		if (setjmp(out) == 0)
			deeper(4);
}

static void nothing(long count)
{
	(void)count;
}

static const struct measure all[] = {
	{ "fork_0", fork_0 }, { "fork_1", fork_1 }, { "fork_16", fork_16 }, { "vfork_exec", vfork_exec },
	{ "fork_exec", fork_exec }, { "spawn", spawn }, { "thread", thread }, { "ping_pong", ping_pong },
	{ "switches", switches }, { "signal", signal_self }, { "setjmp", jump }, { "longjmp_5", jump_5 },
	{ "nothing", nothing },
};

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc != 3)
		return 2;
	return measure(all, sizeof all / sizeof *all, argv[1], atol(argv[2]));
}
