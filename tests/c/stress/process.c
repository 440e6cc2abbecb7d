/* Stress of processes: making, waiting, signalling, groups, limits. */
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include "stress.h"

extern char **environ;

static void forks(int worker)
{
	for (int round = 0; round < 60; round++) {
		pid_t pid = start();
		if (pid == 0)
			_exit((round + worker) % 100);
		CHECK_EQ(ended(pid), (round + worker) % 100);
	}
}

static void vforks(int worker)
{
	volatile int told = 0;
	for (int round = 0; round < 60; round++) {
		pid_t pid = vfork();
		if (pid == 0) {
			told = round + worker + 1;
			_exit(round % 50);
		}
		CHECK_EQ(told, round + worker + 1);
		CHECK_EQ(ended(pid), round % 50);
	}
}

static void many(int worker)
{
	for (int round = 0; round < 4; round++) {
		pid_t pids[40];
		for (int i = 0; i < 40; i++)
			if ((pids[i] = start()) == 0)
				_exit((i + worker) % 90);
		for (int i = 39; i >= 0; i--)
			CHECK_EQ(ended(pids[i]), (i + worker) % 90);
		CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
	}
}

static void zombies(int worker)
{
	(void)worker;
	for (int round = 0; round < 4; round++) {
		int status, count = 0;
		for (int i = 0; i < 30; i++)
			if (start() == 0)
				_exit(1);
		while (waitpid(-1, &status, 0) > 0)
			count += shell_status(status);
		CHECK_EQ(count, 30);
	}
}

static int chain(int depth)
{
	if (depth == 0)
		return 1;
	pid_t pid = start();
	if (pid == 0)
		_exit(chain(depth - 1) + 1);
	return ended(pid);
}

static void chains(int worker)
{
	(void)worker;
	for (int round = 0; round < 4; round++)
		CHECK_EQ(chain(15), 16);
}

static int tree(int depth)
{
	pid_t left, right;
	if (depth == 0)
		return 1;
	if ((left = start()) == 0)
		_exit(tree(depth - 1));
	if ((right = start()) == 0)
		_exit(tree(depth - 1));
	return ended(left) + ended(right);
}

static void trees(int worker)
{
	(void)worker;
	for (int round = 0; round < 2; round++)
		CHECK_EQ(tree(5), 32);
}

static int count_in_memory(void *counter)
{
	++*(volatile int *)counter;
	return 7;
}

static void clones(int worker)
{
	static char stack[65536] __attribute__((aligned(16)));
	volatile int counter = 0;
	(void)worker;
	for (int round = 0; round < 60; round++) {
		pid_t pid = clone(count_in_memory, stack + sizeof stack, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, (void *)&counter);
		CHECK_EQ(ended(pid), 7);
		CHECK_EQ(counter, round + 1);
	}
}

static void kills(int worker)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGPIPE };
	for (int round = 0; round < 40; round++) {
		int signo = signals[(round + worker) % COUNT(signals)];
		pid_t pid = start();
		if (pid == 0) {
			if (round % 2)
				for (;;)
					pause();
			for (volatile unsigned spin = 0;; spin++)
				;
		}
		if (round % 3 == 0)
			sleep_ms(1);
		CHECK_OK(kill(pid, signo));
		CHECK_EQ(ended(pid), 128 + signo);
		CHECK_ERRNO(kill(pid, 0), ESRCH);
	}
}

static void stops(int worker)
{
	(void)worker;
	for (int round = 0; round < 30; round++) {
		int status;
		pid_t pid = start();
		if (pid == 0)
			for (;;)
				pause();
		CHECK_OK(kill(pid, SIGSTOP));
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
		CHECK_OK(kill(pid, SIGCONT));
		CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
		CHECK(WIFCONTINUED(status));
		CHECK_OK(kill(pid, SIGKILL));
		CHECK_EQ(ended(pid), 128 + SIGKILL);
	}
}

static void wait_ids(int worker)
{
	for (int round = 0; round < 40; round++) {
		siginfo_t info = { 0 };
		pid_t pid = start();
		if (pid == 0)
			_exit((round + worker) % 70);
		CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
		CHECK_EQ(info.si_pid, pid);
		CHECK_EQ(info.si_code, CLD_EXITED);
		CHECK_EQ(info.si_status, (round + worker) % 70);
		CHECK_OK(waitid(P_ALL, 0, &info, WEXITED));
		CHECK_EQ(info.si_pid, pid);
		CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), ECHILD);
	}
}

static void pidfds(int worker)
{
	(void)worker;
	for (int round = 0; round < 40; round++) {
		pid_t pid = start();
		if (pid == 0)
			for (;;)
				pause();
		int fd = syscall(SYS_pidfd_open, pid, 0);
		struct pollfd poll_fd = { fd, POLLIN, 0 };
		siginfo_t info;
		CHECK_EQ(poll(&poll_fd, 1, 0), 0);
		CHECK_OK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
		CHECK_EQ(poll(&poll_fd, 1, 20000), 1);
		CHECK_OK(waitid(P_PIDFD, fd, &info, WEXITED));
		CHECK_EQ(info.si_status, SIGTERM);
		CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), ESRCH);
		close(fd);
	}
}

static void sessions(int worker)
{
	(void)worker;
	for (int round = 0; round < 30; round++) {
		pid_t pid = start();
		if (pid == 0) {
			CHECK_EQ(setsid(), getpid());
			CHECK_EQ(getsid(0), getpid());
			CHECK_EQ(getpgrp(), getpid());
			CHECK_ERRNO(setsid(), EPERM);
			pid_t child = start();
			if (child == 0) {
				CHECK_EQ(getpgrp(), getppid());
				CHECK_OK(setpgid(0, 0));
				CHECK_EQ(getpgrp(), getpid());
				finish();
			}
			CHECK_EQ(ended(child), 0);
			finish();
		}
		CHECK_EQ(ended(pid), 0);
	}
}

static void group_kills(int worker)
{
	(void)worker;
	for (int round = 0; round < 8; round++) {
		pid_t pids[8], group = 0;
		for (int i = 0; i < 8; i++) {
			if ((pids[i] = start()) == 0) {
				setpgid(0, group);
				for (;;)
					pause();
			}
			setpgid(pids[i], group);
			if (i == 0)
				group = pids[0];
		}
		CHECK_OK(kill(-group, SIGTERM));
		for (int i = 0; i < 8; i++)
			CHECK_EQ(ended(pids[i]), 128 + SIGTERM);
		CHECK_ERRNO(kill(-group, 0), ESRCH);
	}
}

static void orphans(int worker)
{
	(void)worker;
	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int round = 0; round < 20; round++) {
		int status, told[2], count = 0;
		CHECK_OK(pipe(told));
		pid_t pid = start();
		if (pid == 0) {
			pid_t parent = getpid();
			if (start() == 0) {
				while (getppid() == parent)
					sched_yield();
				CHECK_EQ(write(told[1], "x", 1), 1);
				_exit(3);
			}
			_exit(2);
		}
		char byte;
		CHECK_EQ(ended(pid), 2);
		CHECK_EQ(read(told[0], &byte, 1), 1);
		while (waitpid(-1, &status, 0) > 0)
			count += shell_status(status);
		CHECK_EQ(count, 3);
		close(told[0]), close(told[1]);
	}
}

static void executes(int worker)
{
	char number[16], *arguments[] = { "stress", "again", number, NULL };
	for (int round = 0; round < 15; round++) {
		pid_t pid;
		snprintf(number, sizeof number, "%d", (round + worker) % 50);
		CHECK_EQ(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
		CHECK_EQ(ended(pid), (round + worker) % 50 + 10);
		pid = start();
		if (pid == 0) {
			execv("/proc/self/exe", arguments);
			_exit(1);
		}
		CHECK_EQ(ended(pid), (round + worker) % 50 + 10);
	}
}

static void usage(int worker)
{
	(void)worker;
	for (int round = 0; round < 5; round++) {
		struct rusage usage;
		struct tms before, after;
		times(&before);
		pid_t pid = start();
		if (pid == 0) {
			clock_t begin = clock();
			while (clock() - begin < CLOCKS_PER_SEC / 50)
				;
			_exit(0);
		}
		CHECK_EQ(wait4(pid, NULL, 0, &usage), pid);
		times(&after);
		CHECK(usage.ru_utime.tv_sec * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec >= 10000);
		CHECK(after.tms_cutime + after.tms_cstime >= before.tms_cutime + before.tms_cstime);
	}
}

static void limits(int worker)
{
	static const int kinds[] = { RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_CPU };
	for (int round = 0; round < 100; round++) {
		struct rlimit old, now;
		int kind = kinds[(round + worker) % COUNT(kinds)];
		CHECK_OK(getrlimit(kind, &old));
		now = old;
		now.rlim_cur = now.rlim_max == RLIM_INFINITY ? 1000000 : now.rlim_max / 2;
		CHECK_OK(setrlimit(kind, &now));
		CHECK_OK(prlimit(getpid(), kind, &old, &now));
		CHECK(now.rlim_cur != RLIM_INFINITY);
	}
}

static void names(int worker)
{
	for (int round = 0; round < 100; round++) {
		char name[16], got[17] = "", file[17] = "";
		snprintf(name, sizeof name, "s%d-%d", worker, round);
		CHECK_OK(prctl(PR_SET_NAME, name));
		CHECK_OK(prctl(PR_GET_NAME, got));
		CHECK_STR(got, name);
		int fd = open("/proc/self/comm", O_RDONLY);
		ssize_t n = read(fd, file, 16);
		close(fd);
		CHECK(n > 0);
		file[n > 0 ? n - 1 : 0] = 0;
		CHECK_STR(file, name);
	}
}

static volatile int children_gone;

static void child_gone(int signo)
{
	int status;
	(void)signo;
	while (waitpid(-1, &status, WNOHANG) > 0)
		children_gone++;
}

static void child_signals(int worker)
{
	(void)worker;
	handle(SIGCHLD, child_gone, SA_RESTART);
	for (int i = 0; i < 40; i++)
		if (start() == 0)
			_exit(0);
	for (int tries = 0; children_gone < 40 && tries < 20000; tries++)
		sleep_ms(1);
	CHECK_EQ(children_gone, 40);
	handle(SIGCHLD, SIG_DFL, 0);
}

static void priorities(int worker)
{
	(void)worker;
	for (int nice_value = 1; nice_value < 20; nice_value++) {
		CHECK_OK(setpriority(PRIO_PROCESS, 0, nice_value));
		CHECK_EQ(getpriority(PRIO_PROCESS, 0), nice_value);
		sched_yield();
	}
}

static void affinity(int worker)
{
	cpu_set_t all, one;
	(void)worker;
	CHECK_OK(sched_getaffinity(0, sizeof all, &all));
	for (int round = 0; round < 50; round++)
		for (int cpu = 0; cpu < 64; cpu++)
			if (CPU_ISSET(cpu, &all)) {
				CPU_ZERO(&one);
				CPU_SET(cpu, &one);
				CHECK_OK(sched_setaffinity(0, sizeof one, &one));
				CPU_ZERO(&one);
				CHECK_OK(sched_getaffinity(0, sizeof one, &one));
				CHECK(CPU_ISSET(cpu, &one) && CPU_COUNT(&one) == 1);
			}
	CHECK_OK(sched_setaffinity(0, sizeof all, &all));
}

static const struct stressor stressors[] = {
	{ "forks", forks },	      { "vforks", vforks },	{ "many", many },
	{ "zombies", zombies },	      { "chains", chains },	{ "trees", trees },
	{ "clones", clones },	      { "kills", kills },	{ "stops", stops },
	{ "wait-ids", wait_ids },     { "pidfds", pidfds },	{ "sessions", sessions },
	{ "group-kills", group_kills }, { "orphans", orphans }, { "executes", executes },
	{ "usage", usage },	      { "limits", limits },	{ "names", names },
	{ "child-signals", child_signals }, { "priorities", priorities }, { "affinity", affinity },
};

int main(int argc, char **argv)
{
	if (argc == 3)
		return atoi(argv[2]) + 10;
	return STRESS(stressors);
}
