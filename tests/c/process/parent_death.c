/* PR_SET_PDEATHSIG: a signal when the parent ends; not inherited, with errors for what is no signal. */
#include <sys/prctl.h>
#include "process.h"

static volatile int calls;

static void on_signal(int signo)
{
	(void)signo;
	calls++;
}

static void reaper(void)
{
	int signo = 1, status;
	CHECK_OK(prctl(PR_GET_PDEATHSIG, &signo));
	CHECK_EQ(signo, 0);
	CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 100), EINVAL);
	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	struct gate ready = gate();
	for (int i = 0; i < 2; i++) {
		pid_t middle = start();
		if (middle == 0) {
			if (start() == 0) {
				CHECK_OK(handle(SIGUSR1, on_signal, 0));
				mask(SIG_BLOCK, SIGUSR1);
				CHECK_OK(prctl(PR_SET_PDEATHSIG, i == 0 ? SIGUSR1 : SIGKILL));
				CHECK_OK(prctl(PR_GET_PDEATHSIG, &signo));
				CHECK_EQ(signo, i == 0 ? SIGUSR1 : SIGKILL);
				if (start() == 0) {
					CHECK_OK(prctl(PR_GET_PDEATHSIG, &signo));
					CHECK_EQ(signo, 0);
					finish();
				}
				CHECK(wait(&status) > 0 && status == 0);
				gate_open(&ready);
				sigset_t none;
				sigemptyset(&none);
				CHECK_ERRNO(sigsuspend(&none), EINTR);
				CHECK_EQ(calls, 1);
				_exit(check_failures ? 99 : 46);
			}
			gate_wait(&ready);
			finish();
		}
		CHECK_EQ(ended(middle), 0);
		CHECK(wait(&status) > 0);
		CHECK_EQ(shell_status(status), i == 0 ? 46 : 137);
	}
}

int main(void)
{
	CHECK_EQ(in_child(reaper), 0);
	return check_done();
}
