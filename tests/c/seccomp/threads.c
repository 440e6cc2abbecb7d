/* seccomp(2) and threads: SIGSYS to the thread that makes a call, threads that die alone, filters for all of them.
 *
 * @opt -O0 -O2
 * @libs -pthread
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/time.h>
#include "filter.h"

static volatile sig_atomic_t trapped;
static volatile pid_t trapped_in;
static siginfo_t trap_info;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	trapped++;
	trapped_in = syscall(SYS_gettid);
	trap_info = *info;
}

static void catch_traps(void)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	CHECK_OK(sigaction(SIGSYS, &action, NULL));
}

static void traps(void)
{
	give_up_privileges();
	catch_traps();
	CHECK_OK(refuse(SYS_getpgid, SECCOMP_RET_TRAP | 0x123, 0));
	for (int i = 1; i <= 3; i++) {
		syscall(SYS_getpgid, 0);
		CHECK_EQ(trapped, i);
	}
	CHECK_EQ(trapped_in, syscall(SYS_gettid));
	CHECK_EQ(trap_info.si_signo, SIGSYS);
	CHECK_EQ(trap_info.si_code, 1 /* SYS_SECCOMP */);
	CHECK_EQ(trap_info.si_errno, 0x123);
	CHECK_EQ(trap_info.si_syscall, SYS_getpgid);
	CHECK(trap_info.si_arch != 0);
}

static void trap_blocked(void)
{
	give_up_privileges();
	catch_traps();
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_TRAP, 0));
	syscall(SYS_getppid);
}

static void trap_ignored(void)
{
	give_up_privileges();
	signal(SIGSYS, SIG_IGN);
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_TRAP, 0));
	syscall(SYS_getppid);
}

static void trap_uncaught(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_TRAP, 0));
	syscall(SYS_getppid);
}

/* A call that a handler interrupts is looked at again when it is made again. */
static int ends[2];

static void install_while_reading(int signal)
{
	(void)signal;
	refuse(SYS_read, SECCOMP_RET_ERRNO | ELOOP, 0);
}

static void restarted(void)
{
	char byte;
	give_up_privileges();
	CHECK_OK(pipe(ends));
	struct sigaction action = { .sa_handler = install_while_reading, .sa_flags = SA_RESTART };
	CHECK_OK(sigaction(SIGALRM, &action, NULL));
	struct itimerval soon = { .it_value.tv_usec = 50000 };
	CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
	CHECK_ERRNO(read(ends[0], &byte, 1), ELOOP);
}

/* A thread that dies of a filter; the others go on. */
static void *dies(void *unused)
{
	syscall(SYS_getppid);
	return unused;
}

static void one_thread(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0));
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, dies, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK(getpid() > 0);
	finish();
}

static void whole_process(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0));
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, dies, NULL), 0);
	for (;;)
		pause();
}

/* Filters are a thread's own, and its children's, unless they are for all. */
static sem_t go, done;
static volatile int seen, own;
static volatile pid_t other;

static void *looks(void *unused)
{
	other = syscall(SYS_gettid);
	if (own)
		own = refuse(SYS_getpgid, SECCOMP_RET_ERRNO | EXDEV, 0) + 1;
	for (;;) {
		sem_post(&done);
		sem_wait(&go);
		errno = 0;
		seen = syscall(SYS_getppid) < 0 ? errno : 0;
	}
	return unused;
}

static void start_looking(void)
{
	pthread_t thread;
	give_up_privileges();
	sem_init(&go, 0, 0);
	sem_init(&done, 0, 0);
	CHECK_EQ(pthread_create(&thread, NULL, looks, NULL), 0);
	sem_wait(&done);
}

static int look(void)
{
	sem_post(&go);
	sem_wait(&done);
	return seen;
}

static void synchronised(void)
{
	start_looking();
	CHECK_EQ(look(), 0);
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY, 0));
	CHECK_EQ(look(), 0);
	CHECK_ERRNO(syscall(SYS_getppid), ENOTTY);
	/* The newest of equals: the other thread gets the older one as well. */
	CHECK_EQ(refuse(SYS_getpgid, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_TSYNC), 0);
	CHECK_EQ(look(), ENOTTY);
	CHECK_EQ(refuse(SYS_getppid, SECCOMP_RET_ERRNO | ELOOP, SECCOMP_FILTER_FLAG_TSYNC), 0);
	CHECK_EQ(look(), ELOOP);
}

static void diverged(void)
{
	own = 1;
	start_looking();
	CHECK_EQ(own, 1);
	CHECK_EQ(refuse(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY, SECCOMP_FILTER_FLAG_TSYNC), other);
	CHECK_ERRNO(refuse(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY,
			   SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH), ESRCH);
	/* Nothing was installed. */
	CHECK_OK(syscall(SYS_getppid));
	CHECK_EQ(look(), 0);
}

static void *reports(void *result)
{
	errno = 0;
	*(int *)result = syscall(SYS_getppid) < 0 ? errno : 0;
	return NULL;
}

static void inherited(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY, 0));
	int result = -1;
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, reports, &result), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(result, ENOTTY);
}

int main(void)
{
	if (!is_usable())
		return check_done();
	CHECK_EQ(in_child(traps), 0);
	CHECK_EQ(in_child(trap_blocked), 128 + SIGSYS);
	CHECK_EQ(in_child(trap_ignored), 128 + SIGSYS);
	CHECK_EQ(in_child(trap_uncaught), 128 + SIGSYS);
	CHECK_EQ(in_child(restarted), 0);
	CHECK_EQ(in_child(one_thread), 0);
	CHECK_EQ(in_child(whole_process), 128 + SIGSYS);
	CHECK_EQ(in_child(synchronised), 0);
	CHECK_EQ(in_child(diverged), 0);
	CHECK_EQ(in_child(inherited), 0);
	return check_done();
}
