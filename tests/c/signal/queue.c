/* sigqueue: values, real-time signals in order of number and of sending, standard ones once; codes; errors. */
#include <pthread.h>
#include <sys/syscall.h>
#include "process.h"

static struct {
	int signo, code, value;
} got[100];
static int count;

static void note(int signo, siginfo_t *info, void *context)
{
	(void)context;
	got[count].signo = signo - SIGRTMIN;
	got[count].code = info->si_code;
	got[count].value = info->si_value.sival_int;
	count++;
	CHECK_EQ(info->si_pid, getpid());
	CHECK_EQ(info->si_uid, getuid());
}

int main(void)
{
	sigset_t set, old;
	siginfo_t info;
	sigfillset(&set);
	CHECK_EQ(SIGRTMIN, 34);
	CHECK_EQ(SIGRTMAX, 64);
	for (int i = 0; i < 4; i++)
		CHECK_OK(handle_info(SIGRTMIN + i, note, 0));
	CHECK_OK(handle_info(SIGUSR1, note, 0));
	CHECK_OK(sigprocmask(SIG_SETMASK, &set, &old));
	for (int i = 0; i < 5; i++)
		for (int k = 3; k >= 0; k--)
			CHECK_OK(sigqueue(getpid(), SIGRTMIN + k, (union sigval){ .sival_int = i * 10 + k }));
	for (int i = 0; i < 3; i++)
		CHECK_OK(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 900 + i }));
	CHECK_OK(kill(getpid(), SIGRTMIN + 2));

	/* Taken one by one: the lowest first, in order of sending. */
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	CHECK_EQ(info.si_value.sival_int, 900);
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < 5; i++) {
			CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + k);
			CHECK_EQ(info.si_signo, SIGRTMIN + k);
			CHECK_EQ(info.si_code, SI_QUEUE);
			CHECK_EQ(info.si_value.sival_int, i * 10 + k);
			CHECK_EQ(info.si_pid, getpid());
		}
	/* The rest by handlers. Frames are stacked, so the last one set up runs first: the order is the reverse. */
	CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
	CHECK_EQ(count, 11);
	for (int i = 0; i < count; i++)
		printf("%d %d %d\n", got[i].signo, got[i].code, got[i].code == SI_QUEUE ? got[i].value : 0);

	CHECK_ERRNO(sigqueue(getpid(), 65, (union sigval){ 0 }), EINVAL);
	CHECK_ERRNO(sigqueue(getpid(), -1, (union sigval){ 0 }), EINVAL);
	CHECK_OK(sigqueue(getpid(), 0, (union sigval){ 0 }));
	CHECK_ERRNO(sigqueue(0x3ffffff, SIGRTMIN, (union sigval){ 0 }), ESRCH);

	/* One's own information goes to oneself only; not with the kernel's codes to others. */
	mask(SIG_BLOCK, SIGRTMIN + 5);
	memset(&info, 0, sizeof info);
	info.si_code = -99;
	info.si_value.sival_int = 7;
	CHECK_OK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN + 5, &info));
	CHECK_OK(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGRTMIN + 5, &info));
	CHECK_EQ(pthread_sigqueue(pthread_self(), SIGRTMIN + 5, (union sigval){ .sival_int = 8 }), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 5);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 5);
		printf("%d %d\n", info.si_code, info.si_value.sival_int);
	}
	pid_t pid = start();
	if (pid == 0) {
		for (;;)
			pause();
	}
	info.si_code = SI_USER;
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info), EPERM);
	info.si_code = SI_TKILL;
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info), EPERM);
	info.si_code = SI_QUEUE;
	CHECK_OK(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info));
	CHECK_EQ(ended(pid), 143);
	return check_done();
}
