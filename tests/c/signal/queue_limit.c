/* RLIMIT_SIGPENDING: sigqueue says EAGAIN, kill still gets through, room comes back when signals are taken. */
#include <sys/resource.h>
#include "process.h"

static void limited(void)
{
	sigset_t set;
	siginfo_t info;
	if (geteuid() == 0)
		CHECK_OK(setuid(54322));
	CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){ 5, 5 }));
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int queued = 0;
	while (queued < 100 && sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = queued }) == 0)
		queued++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(queued, 5);
	/* A signal without information is never lost. */
	CHECK_OK(kill(getpid(), SIGRTMIN + 1));
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
		CHECK_EQ(info.si_value.sival_int, i);
	}
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 1);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, 0);
	CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 0 }));
}

int main(void)
{
	CHECK_EQ(in_child(limited), 0);
	return check_done();
}
