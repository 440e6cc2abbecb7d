/* pause and sigsuspend sleep until a handler has run; ignored signals and stops do not end them. */
#include <sys/time.h>
#include "process.h"

static volatile int calls, conts;

static void on_signal(int signo)
{
	if (signo == SIGCONT)
		conts++;
	else
		calls++;
}

int main(void)
{
	struct gate ready = gate();
	int status;
	pid_t pid = start();
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		CHECK_OK(handle(SIGUSR1, on_signal, SA_RESTART));
		signal(SIGUSR2, SIG_IGN);
		mask(SIG_BLOCK, SIGUSR1);
		gate_open(&ready);
		CHECK_ERRNO(sigsuspend(&none), EINTR);
		CHECK_EQ(calls, 1);
		gate_open(&ready);
		/* Nothing but the one that ends it has come. */
		CHECK_ERRNO(sigsuspend(&none), EINTR);
		CHECK_EQ(calls, 2);
		finish();
	}
	gate_wait(&ready);
	CHECK_OK(kill(pid, SIGUSR1));
	gate_wait(&ready);
	for (int i = 0; i < 10; i++) {
		CHECK_OK(kill(pid, SIGUSR2));
		CHECK_OK(kill(pid, SIGWINCH));
		CHECK_OK(kill(pid, SIGSTOP));
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK_OK(kill(pid, SIGCONT));
	}
	CHECK_OK(kill(pid, SIGUSR1));
	CHECK_EQ(ended(pid), 0);

	/* A round trip 1,000 times: nothing is lost between check and sleep. */
	pid_t parent = getpid();
	CHECK_OK(handle(SIGUSR1, on_signal, 0));
	mask(SIG_BLOCK, SIGUSR1);
	sigset_t wait;
	sigprocmask(SIG_BLOCK, NULL, &wait);
	sigdelset(&wait, SIGUSR1);
	calls = 0;
	pid = start();
	if (pid == 0) {
		for (int i = 1; i <= 1000; i++) {
			while (calls < i)
				sigsuspend(&wait);
			kill(parent, SIGUSR1);
		}
		finish();
	}
	for (int i = 1; i <= 1000; i++) {
		CHECK_OK(kill(pid, SIGUSR1));
		while (calls < i)
			sigsuspend(&wait);
	}
	CHECK_EQ(calls, 1000);
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
