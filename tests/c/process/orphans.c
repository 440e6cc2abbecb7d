/* Orphans go to the nearest ancestor that is a subreaper; it is told of their end and waits for them. */
#include <sys/prctl.h>
#include "process.h"

static void reaper(void)
{
	int on = 7, status;
	CHECK_OK(prctl(PR_GET_CHILD_SUBREAPER, &on));
	CHECK_EQ(on, 0);
	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	CHECK_OK(prctl(PR_GET_CHILD_SUBREAPER, &on));
	CHECK_EQ(on, 1);
	pid_t self = getpid();
	struct gate go = gate();
	int ends[2];
	CHECK_OK(pipe(ends));
	pid_t middle = start();
	if (middle == 0) {
		/* Not inherited. */
		CHECK_OK(prctl(PR_GET_CHILD_SUBREAPER, &on));
		CHECK_EQ(on, 0);
		pid_t own = getpid();
		for (int i = 0; i < 3; i++) {
			if (start() == 0) {
				pid_t pid = getpid();
				while (getppid() == own)
					usleep(1000);
				CHECK_EQ(getppid(), self);
				gate_wait(&go);
				CHECK_EQ(write(ends[1], &pid, sizeof pid), sizeof pid);
				finish();
			}
		}
		finish();
	}
	CHECK_EQ(waitpid(middle, &status, 0), middle);
	CHECK_EQ(status, 0);
	for (int i = 0; i < 3; i++)
		gate_open(&go);
	pid_t told[3], sum_told = 0, sum_seen = 0;
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(read(ends[0], &told[i], sizeof told[i]), sizeof told[i]);
		sum_told += told[i];
		pid_t seen = wait(&status);
		CHECK_EQ(status, 0);
		sum_seen += seen;
	}
	CHECK_EQ(sum_told, sum_seen);
	CHECK_ERRNO(wait(NULL), ECHILD);

	/* A zombie whose parent ends is handed on as well. */
	middle = start();
	if (middle == 0) {
		pid_t quick = start();
		if (quick == 0)
			_exit(44);
		siginfo_t info;
		CHECK_OK(waitid(P_PID, (id_t)quick, &info, WEXITED | WNOWAIT));
		finish();
	}
	CHECK_EQ(ended(middle), 0);
	CHECK(wait(&status) > 0);
	CHECK_EQ(shell_status(status), 44);

	/* A dead subreaper's place is taken by the next one. */
	struct gate ready = gate();
	middle = start();
	if (middle == 0) {
		CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
		pid_t lower = start();
		if (lower == 0) {
			if (start() == 0) {
				gate_open(&ready);
				gate_wait(&go);
				while (getppid() != self)
					usleep(1000);
				_exit(45);
			}
			_exit(0);
		}
		CHECK_EQ(ended(lower), 0);
		gate_wait(&ready);
		finish();
	}
	CHECK_EQ(ended(middle), 0);
	gate_open(&go);
	CHECK(wait(&status) > 0);
	CHECK_EQ(shell_status(status), 45);
}

int main(void)
{
	CHECK_EQ(in_child(reaper), 0);
	return check_done();
}
