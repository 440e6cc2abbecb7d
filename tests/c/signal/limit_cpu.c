/* RLIMIT_CPU: SIGXCPU every second from the soft limit on, SIGKILL at the hard one; for children as well; its default
 * action.
 */
#include <sys/resource.h>
#include "process.h"

static volatile sig_atomic_t calls;
static volatile unsigned turns;

static void on_limit(int signo)
{
	(void)signo;
	calls = calls + 1;
}

static _Noreturn void spin(void)
{
	for (;;)
		turns++;
}

int main(void)
{
	struct rlimit limit;
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(setrlimit(RLIMIT_CPU, &(struct rlimit){ 1, 2 }));
		CHECK_OK(handle(SIGXCPU, on_limit, 0));
		while (calls < 1)
			turns++;
		/* The limit moves on. */
		CHECK_OK(getrlimit(RLIMIT_CPU, &limit));
		CHECK_EQ(limit.rlim_cur, 2);
		CHECK_EQ(limit.rlim_max, 2);
		if (check_failures != 0)
			finish();
		spin();
	}
	CHECK_EQ(ended(pid), 128 + SIGKILL);
	/* A child counts from nothing, with the limit it has inherited. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(setrlimit(RLIMIT_CPU, &(struct rlimit){ 1, 20 }));
		pid = start();
		if (pid == 0)
			spin();
		CHECK_EQ(ended(pid), 128 + SIGXCPU);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	/* Set by another process. */
	pid = start();
	if (pid == 0)
		spin();
	CHECK_OK(prlimit(pid, RLIMIT_CPU, NULL, &limit));
	CHECK_EQ(limit.rlim_cur, RLIM_INFINITY);
	CHECK_OK(prlimit(pid, RLIMIT_CPU, &(struct rlimit){ 1, 1 }, NULL));
	CHECK_EQ(ended(pid), 128 + SIGKILL);
	CHECK_ERRNO(prlimit(pid, RLIMIT_CPU, NULL, &limit), ESRCH);
	return check_done();
}
