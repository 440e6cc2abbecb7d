/* A process group that is stopped when the last process ends that could continue it gets SIGHUP and SIGCONT: when its
 * leader's parent ends, and when a member that was its only tie ends. Groups that run are left alone.
 */
#include <poll.h>
#include <sys/prctl.h>
#include "process.h"

static volatile sig_atomic_t hung_up, continued;

static void on_signal(int signo)
{
	if (signo == SIGHUP)
		hung_up = 1;
	else
		continued = 1;
}

/* A child of a group of its own that says what it gets: stops, or waits a while. */
static pid_t member(pid_t group, int stops, struct gate *says)
{
	pid_t pid = start();
	if (pid != 0) {
		setpgid(pid, group);
		return pid;
	}
	setpgid(0, group);
	handle(SIGHUP, on_signal, 0);
	handle(SIGCONT, on_signal, 0);
	if (stops)
		raise(SIGSTOP);
	else
		sleep_ms(300);
	/* The other one may come a moment later. */
	for (int i = 0; i < 100 && stops && !(hung_up && continued); i++)
		sleep_ms(10);
	char word = (char)('0' + hung_up + 2 * continued);
	if (write(says->end[1], &word, 1) != 1)
		abort();
	_exit(0);
}

static char heard(struct gate *says)
{
	char word = 0;
	struct pollfd polled = { says->end[0], POLLIN, 0 };
	if (poll(&polled, 1, 5000) != 1 || read(says->end[0], &word, 1) != 1)
		return 'x';
	return word;
}

static void until_stopped(pid_t pid)
{
	siginfo_t info;
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
}

int main(void)
{
	struct gate says = gate(), runs = gate();
	CHECK_OK(setsid() < 0 && errno != EPERM ? -1 : 0);
	/* The parent of a stopped group ends: in a session of its own, so that no outer shell matters. */
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(setsid());
		pid_t parent = start();
		if (parent == 0) {
			CHECK_OK(setpgid(0, 0));
			pid_t stopped = member(0, 1, &says);
			until_stopped(stopped);
			member(0, 0, &runs);
			finish();
		}
		CHECK_EQ(ended(parent), 0);
		CHECK_EQ(heard(&says), '3');
		CHECK_EQ(heard(&runs), '0');
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	/* A member whose parent is in another group was the tie; the stopped one has its parent in the group. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(setsid());
		struct gate ready = gate();
		pid_t tie = start();
		if (tie == 0) {
			CHECK_OK(setpgid(0, 0));
			pid_t stopped = member(getpid(), 1, &says);
			until_stopped(stopped);
			gate_open(&ready);
			pause();
			_exit(1);
		}
		gate_wait(&ready);
		CHECK_OK(kill(tie, SIGKILL));
		CHECK_EQ(ended(tie), 128 + SIGKILL);
		CHECK_EQ(heard(&says), '3');
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
