/* Processes, threads, signals, clocks, scheduling: each wrong argument of their calls.
 *
 * @cflags -w
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include "errors.h"

/* The calls have other names where words have 64 bits. */
#ifdef SYS_clock_gettime64
#define CALL(name) SYS_##name##64
#define CALL_TIME64(name) SYS_##name##_time64
#else
#define CALL(name) SYS_##name
#define CALL_TIME64(name) SYS_##name
#endif

/* No process has this id. */
enum { NOBODY = 1 << 22 };

static void waiting(void)
{
	siginfo_t info;
	int status;
	CHECK_ERRNO(wait(NULL), ECHILD);
	CHECK_ERRNO(waitpid(NOBODY, &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(-1, &status, 0x100), EINVAL);
	CHECK_ERRNO(waitpid(INT32_MIN, &status, 0), ESRCH);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED | 0x100), EINVAL);
	CHECK_ERRNO(waitid(99, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PIDFD, CLOSED, &info, WEXITED), EBADF);
	pid_t pid = start();
	if (pid == 0)
		_exit(3);
	CHECK_ERRNO(waitid(P_PID, pid, BAD, WEXITED), EFAULT);
	pid = start();
	if (pid == 0)
		_exit(3);
	CHECK_ERRNO(waitpid(pid, BAD, 0), EFAULT);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
}

static void limits(void)
{
	struct rlimit limit = { 2, 1 };
	struct rusage usage;
	CHECK_ERRNO(getrlimit(99, &limit), EINVAL);
	CHECK_ERRNO(setrlimit(99, &limit), EINVAL);
	limit = (struct rlimit){ 2, 1 };
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
	CHECK_OK(getrlimit(RLIMIT_CORE, &limit));
	CHECK_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, BAD), EFAULT);
	CHECK_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_CORE, BAD, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_prlimit64, NOBODY, RLIMIT_CORE, NULL, NULL), ESRCH);
	CHECK_OK(prlimit(getpid(), RLIMIT_CORE, NULL, NULL));
	CHECK_OK(getrlimit(RLIMIT_MSGQUEUE, &limit));
	limit.rlim_max--;
	limit.rlim_cur = limit.rlim_max;
	CHECK_OK(setrlimit(RLIMIT_MSGQUEUE, &limit));
	limit.rlim_max++;
	CHECK_ERRNO(setrlimit(RLIMIT_MSGQUEUE, &limit), EPERM);
	CHECK_ERRNO(getrusage(9, &usage), EINVAL);
	CHECK_OK(getrusage(RUSAGE_THREAD, &usage));
	CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, BAD), EFAULT);
}

static void clocks(void)
{
	struct timespec ts = { 0, 1000000000 }, none;
	struct itimerval value = { { 0, 0 }, { 0, 1000000 } };
	struct itimerspec spec = { { 0, 0 }, { 0, 1000000000 } };
	CHECK_ERRNO(clock_gettime(99, &ts), EINVAL);
	CHECK_ERRNO(clock_getres(99, &none), EINVAL);
	CHECK_OK(clock_getres(CLOCK_TAI, &none));
	CHECK_OK(clock_getres(CLOCK_MONOTONIC, NULL));
	/* Filters of containers refuse this one whatever it says, natively. */
	int looks = clock_settime(99, &none) == 0 || errno != EPERM;
	if (looks) {
		CHECK_ERRNO(clock_settime(99, &none), EINVAL);
		CHECK_ERRNO(clock_settime(CLOCK_MONOTONIC, &none), EINVAL);
		CHECK_ERRNO(syscall(CALL(clock_settime), CLOCK_REALTIME, BAD), EFAULT);
	}
	ts = (struct timespec){ 0, 1000000000 };
	CHECK_OK(clock_gettime(CLOCK_REALTIME, &none));
	CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &none), EPERM);
	CHECK_EQ(clock_nanosleep(99, 0, &ts, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), EINVAL);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &(struct timespec){ 0, 1 }, NULL), ENOTSUP);
	CHECK_ERRNO(syscall(CALL(clock_gettime), CLOCK_MONOTONIC, BAD), EFAULT);
	CHECK_ERRNO(syscall(CALL_TIME64(clock_getres), CLOCK_MONOTONIC, BAD), EFAULT);
	CHECK_ERRNO(syscall(CALL_TIME64(clock_nanosleep), CLOCK_MONOTONIC, 0, BAD, NULL), EFAULT);
	CHECK_ERRNO(getitimer(9, &value), EINVAL);
	CHECK_ERRNO(setitimer(9, &value, NULL), EINVAL);
	value = (struct itimerval){ { 0, 0 }, { 0, 1000000 } };
	CHECK_ERRNO(setitimer(ITIMER_REAL, &value, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_getitimer, ITIMER_REAL, BAD), EFAULT);
	CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, BAD, NULL), EFAULT);
	struct timex clock = { .modes = 0 };
	CHECK_OK(adjtimex(&clock));
	CHECK(clock.time.tv_sec > 1500000000 && clock.tick >= 9000 && clock.tick <= 11000);
	clock.modes = ADJ_OFFSET_SS_READ;
	CHECK_OK(clock_adjtime(CLOCK_REALTIME, &clock));
	clock.modes = ADJ_TICK;
	CHECK_ERRNO(adjtimex(&clock), EPERM);
	clock.modes = ADJ_OFFSET_SINGLESHOT;
	CHECK_ERRNO(adjtimex(&clock), EPERM);
	clock.modes = 0x8000;
	CHECK_ERRNO(adjtimex(&clock), EINVAL);
	clock.modes = 0;
	CHECK_ERRNO(clock_adjtime(CLOCK_MONOTONIC, &clock), EOPNOTSUPP);
	CHECK_ERRNO(clock_adjtime(99, &clock), EINVAL);
	int id;
	CHECK_OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id));
	CHECK_ERRNO(syscall(SYS_timer_create, 99, NULL, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, BAD, &id), EFAULT);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, BAD), EFAULT);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, NULL, &id), ENOTSUP);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &(struct sigevent){ .sigev_notify = 9 }, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &(struct sigevent){ .sigev_signo = 99 }, &id), EINVAL);
	CHECK_ERRNO(syscall(CALL(timer_settime), 99, 0, &spec, NULL), EINVAL);
	CHECK_ERRNO(syscall(CALL(timer_settime), id, 0, &spec, NULL), EINVAL);
	CHECK_ERRNO(syscall(CALL(timer_settime), id, 0, BAD, NULL), EFAULT);
	CHECK_ERRNO(syscall(CALL(timer_settime), id, 0, NULL, NULL), EINVAL);
	CHECK_ERRNO(syscall(CALL(timer_gettime), id, BAD), EFAULT);
	CHECK_ERRNO(syscall(CALL(timer_gettime), 99, &spec), EINVAL);
	CHECK_EQ(syscall(SYS_timer_getoverrun, id), 0);
	CHECK_ERRNO(syscall(SYS_timer_getoverrun, 99), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_delete, 99), EINVAL);
	CHECK_OK(syscall(SYS_timer_delete, id));
	CHECK_ERRNO(syscall(SYS_times, BAD), EFAULT);
	CHECK_ERRNO(syscall(SYS_sysinfo, BAD), EFAULT);
}

static void signals(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };
	sigset_t set;
	siginfo_t info = { .si_code = SI_QUEUE, .si_signo = SIGUSR1 };
	sigemptyset(&set);
	CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(65, &action, NULL), EINVAL);
	CHECK_OK(sigaction(SIGKILL, NULL, &action));
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, BAD, NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, BAD, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, 9, &set, NULL, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, BAD, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigpending, BAD, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigpending, &set, 9), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &set, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigsuspend, BAD, 8), EFAULT);
	CHECK_ERRNO(syscall(CALL_TIME64(rt_sigtimedwait), &set, NULL, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(CALL_TIME64(rt_sigtimedwait), BAD, NULL, NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_sigaltstack, BAD, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_sigaltstack, NULL, BAD), EFAULT);
	CHECK_ERRNO(sigaltstack(&(stack_t){ .ss_flags = 0x100 }, NULL), EINVAL);
	CHECK_ERRNO(sigaltstack(&(stack_t){ .ss_size = 100 }, NULL), ENOMEM);

	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(NOBODY, 0), ESRCH);
	CHECK_ERRNO(kill(-NOBODY, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_tkill, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_tkill, gettid(), 65), EINVAL);
	CHECK_ERRNO(syscall(SYS_tkill, NOBODY, 0), ESRCH);
	CHECK_OK(syscall(SYS_tkill, gettid(), 0));
	CHECK_ERRNO(tgkill(getpid(), NOBODY, 0), ESRCH);
	CHECK_ERRNO(tgkill(0, gettid(), 0), EINVAL);
	CHECK_ERRNO(tgkill(NOBODY, gettid(), 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, NOBODY, SIGUSR1, &info), ESRCH);
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, BAD), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), NOBODY, SIGUSR1, &info), ESRCH);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, 0, gettid(), SIGUSR1, &info), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), 65, &info), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, BAD), EFAULT);
	/* Only to itself may a process queue what looks like kill's. */
	pid_t child = start();
	if (child == 0) {
		for (;;)
			pause();
	}
	info.si_code = SI_USER;
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, &info), EPERM);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, child, child, SIGUSR1, &info), EPERM);
	int fd = (int)syscall(SYS_pidfd_open, child, 0);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0), EPERM);
	info.si_code = SI_QUEUE;
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, &info, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, BAD, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0x100), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, CLOSED, SIGUSR1, NULL, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, 0, SIGUSR1, NULL, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 777, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 0, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_open, child, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_open, NOBODY, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_pidfd_open, -1, 0), EINVAL);
	CHECK_OK(kill(child, SIGKILL));
	CHECK_EQ(ended(child), 137);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	CHECK_OK(close(fd));
	/* Others' processes, the first of all. */
	CHECK_ERRNO(syscall(SYS_pidfd_open, 0, 0), EINVAL);
}

static void groups(void)
{
	CHECK_ERRNO(getpgid(NOBODY), ESRCH);
	CHECK_ERRNO(getsid(NOBODY), ESRCH);
	CHECK_ERRNO(setpgid(NOBODY, 0), ESRCH);
	CHECK_ERRNO(setpgid(0, -1), EINVAL);
	CHECK_ERRNO(setpgid(0, NOBODY), EPERM);
	CHECK_ERRNO(getpriority(9, 0), EINVAL);
	CHECK_ERRNO(getpriority(PRIO_PROCESS, NOBODY), ESRCH);
	CHECK_ERRNO(getpriority(PRIO_PGRP, NOBODY), ESRCH);
	CHECK_ERRNO(getpriority(PRIO_USER, 777777), ESRCH);
	CHECK_ERRNO(setpriority(9, 0, 0), EINVAL);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, NOBODY, 0), ESRCH);
	void *head;
	size_t size;
	CHECK_ERRNO(syscall(SYS_get_robust_list, NOBODY, &head, &size), ESRCH);
	CHECK_ERRNO(syscall(SYS_get_robust_list, 0, BAD, &size), EFAULT);
	CHECK_ERRNO(syscall(SYS_set_robust_list, NULL, 1), EINVAL);
	CHECK_ERRNO(prctl(9999), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 9), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_ERRNO(prctl(PR_SET_NAME, BAD), EFAULT);
	CHECK_ERRNO(prctl(PR_GET_NAME, BAD), EFAULT);
	CHECK_ERRNO(prctl(PR_GET_PDEATHSIG, BAD), EFAULT);
	CHECK_ERRNO(unshare(0x10), EINVAL);
	CHECK_ERRNO(unshare(CLONE_NEWUTS), EPERM);
	CHECK_ERRNO(getrandom(BAD, 1, 0), EFAULT);
	CHECK_ERRNO(getrandom(&size, 1, 0x100), EINVAL);
	CHECK_ERRNO(getrandom(&size, 1, GRND_RANDOM | GRND_INSECURE), EINVAL);
	CHECK_OK(syscall(SYS_membarrier, 0, 0, 0));
	CHECK_ERRNO(syscall(SYS_membarrier, 0, 99, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_membarrier, 1 << 20, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_membarrier, 8, 0, 0), EPERM);
	CHECK_OK(syscall(SYS_membarrier, 16, 0, 0));
	CHECK_OK(syscall(SYS_membarrier, 8, 0, 0));
}


static void scheduling(void)
{
	struct sched_param zero = { 0 }, one = { 1 };
	unsigned char mask[256];
	struct timespec slice;
	unsigned cpu, node;
	CHECK_OK(sched_getaffinity(0, sizeof mask, (void *)mask));
	CHECK_ERRNO(sched_getaffinity(NOBODY, sizeof mask, (void *)mask), ESRCH);
	CHECK_ERRNO(sched_getaffinity(0, 1, (void *)mask), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, sizeof mask, BAD), EFAULT);
	CHECK_OK(sched_setaffinity(0, sizeof mask, (void *)mask));
	memset(mask, 0, sizeof mask);
	CHECK_ERRNO(sched_setaffinity(0, sizeof mask, (void *)mask), EINVAL);
	CHECK_ERRNO(sched_setaffinity(NOBODY, sizeof mask, (void *)mask), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof mask, BAD), EFAULT);
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_ERRNO(sched_getscheduler(NOBODY), ESRCH);
	CHECK_ERRNO(sched_getscheduler(-1), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, 99, &zero), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, -1, &zero), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &one), EINVAL);
	CHECK_ERRNO(sched_setscheduler(NOBODY, SCHED_OTHER, &zero), ESRCH);
	CHECK_ERRNO(sched_setscheduler(-1, SCHED_OTHER, &zero), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &one), EPERM);
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, BAD), EFAULT);
	CHECK_OK(sched_setscheduler(0, SCHED_BATCH, &zero));
	CHECK_OK(sched_setparam(0, &zero));
	CHECK_ERRNO(sched_setparam(0, &one), EINVAL);
	CHECK_ERRNO(sched_setparam(NOBODY, &zero), ESRCH);
	CHECK_ERRNO(sched_setparam(-1, &zero), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setparam, 0, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setparam, 0, BAD), EFAULT);
	CHECK_OK(sched_getparam(0, &one));
	CHECK_EQ(one.sched_priority, 0);
	CHECK_ERRNO(sched_getparam(NOBODY, &one), ESRCH);
	CHECK_ERRNO(sched_getparam(-1, &one), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getparam, 0, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getparam, 0, BAD), EFAULT);
	CHECK_EQ(sched_get_priority_max(SCHED_RR), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
	CHECK_EQ(sched_get_priority_min(SCHED_IDLE), 0);
	CHECK_ERRNO(sched_get_priority_max(99), EINVAL);
	CHECK_ERRNO(sched_get_priority_min(-1), EINVAL);
	CHECK_OK(sched_rr_get_interval(0, &slice));
	CHECK(slice.tv_sec == 0 && slice.tv_nsec >= 0);
	CHECK_ERRNO(sched_rr_get_interval(NOBODY, &slice), ESRCH);
	CHECK_ERRNO(sched_rr_get_interval(-1, &slice), EINVAL);
	CHECK_ERRNO(syscall(CALL_TIME64(sched_rr_get_interval), 0, BAD), EFAULT);
	char attributes[64] = "";
	CHECK_OK(syscall(SYS_sched_getattr, 0, attributes, 56, 0));
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, attributes, 47, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, attributes, 56, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, NULL, 56, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, BAD, 56, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, BAD, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
	CHECK_OK(syscall(SYS_getcpu, &cpu, &node, NULL));
	CHECK_OK(syscall(SYS_getcpu, NULL, NULL, NULL));
	CHECK_ERRNO(syscall(SYS_getcpu, BAD, NULL, NULL), EFAULT);
	CHECK_EQ(sched_yield(), 0);
}

int main(void)
{
	drop_privileges();
	waiting();
	limits();
	clocks();
	signals();
	groups();
	scheduling();
	return check_done();
}
