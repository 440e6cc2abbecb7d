/* RLIMIT_SIGPENDING counts what all processes of the user have pending, timers as well; what is pending for a process
 * that ends does not count.
 */
#include <sys/resource.h>
#include "process.h"

static void limited(void)
{
	if (geteuid() == 0)
		CHECK_OK(setuid(54323));
	mask(SIG_BLOCK, SIGRTMIN);
	struct gate ready = gate();
	pid_t pid = start();
	if (pid == 0) {
		gate_open(&ready);
		pause();
		_exit(0);
	}
	gate_wait(&ready);
	CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){ 6, 6 }));
	CHECK_OK(prlimit(pid, RLIMIT_SIGPENDING, &(struct rlimit){ 6, 6 }, NULL));
	for (int i = 0; i < 4; i++)
		CHECK_OK(sigqueue(pid, SIGRTMIN, (union sigval){ .sival_int = i }));
	CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 0 }));
	timer_t timer, another;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &another), EAGAIN);
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 0 }), EAGAIN);
	CHECK_ERRNO(sigqueue(pid, SIGRTMIN, (union sigval){ .sival_int = 0 }), EAGAIN);
	CHECK_OK(timer_delete(timer));
	CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 0 }));
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ended(pid), 128 + SIGKILL);
	for (int i = 0; i < 4; i++)
		CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 0 }));
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 0 }), EAGAIN);
}

int main(void)
{
	CHECK_EQ(in_child(limited), 0);
	return check_done();
}
