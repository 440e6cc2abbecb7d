/* Stopped and continued children: WUNTRACED, WSTOPPED, WCONTINUED, each change seen once. */
#include "process.h"

static pid_t pid;

static void stop_and_go(int signo)
{
	int status;
	siginfo_t info;
	CHECK_OK(kill(pid, signo));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && !WIFEXITED(status) && !WIFSIGNALED(status) && !WIFCONTINUED(status));
	CHECK_EQ(WSTOPSIG(status), signo);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status) && !WIFSTOPPED(status) && !WIFEXITED(status) && !WIFSIGNALED(status));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED | WNOHANG), 0);

	CHECK_OK(kill(pid, signo));
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT));
	CHECK_EQ(info.si_code, CLD_STOPPED);
	CHECK_EQ(info.si_status, signo);
	CHECK_EQ(info.si_pid, pid);
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	CHECK_EQ(info.si_code, CLD_STOPPED);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WCONTINUED));
	CHECK_EQ(info.si_code, CLD_CONTINUED);
	CHECK_EQ(info.si_status, SIGCONT);
}

static volatile unsigned turns;
static volatile int continued;

static void on_continue(int signo)
{
	(void)signo;
	continued++;
}

int main(void)
{
	int status;
	/* In a call, and in a loop without calls. SIGTSTP and its like stop no orphaned group, so the child has one of its own. */
	for (int way = 0; way < 2; way++) {
		struct gate ready = gate();
		pid = start();
		if (pid == 0) {
			setpgid(0, 0);
			gate_open(&ready);
			if (way == 0)
				pause();
			for (;;)
				turns++;
		}
		gate_wait(&ready);
		stop_and_go(SIGSTOP);
		stop_and_go(SIGTSTP);
		stop_and_go(SIGTTIN);
		stop_and_go(SIGTTOU);
		/* Stopped twice is stopped once; a stopped one is not waited for without WUNTRACED; only SIGKILL works at once. */
		CHECK_OK(kill(pid, SIGSTOP));
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK_OK(kill(pid, SIGSTOP));
		CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
		CHECK_OK(kill(pid, SIGTERM));
		CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
		if (way == 0)
			CHECK_OK(kill(pid, SIGCONT));
		else
			CHECK_OK(kill(pid, SIGKILL));
		CHECK_EQ(ended(pid), way == 0 ? 143 : 137);
		gate_close(&ready);
	}

	/* A child stops itself; SIGCONT has a handler, and goes on even where it is blocked or ignored. */
	for (int way = 0; way < 3; way++) {
		pid = start();
		if (pid == 0) {
			if (way == 0)
				CHECK_OK(handle(SIGCONT, on_continue, 0));
			else if (way == 1)
				mask(SIG_BLOCK, SIGCONT);
			else
				signal(SIGCONT, SIG_IGN);
			CHECK_OK(raise(SIGSTOP));
			CHECK_EQ(continued, way == 0);
			CHECK_EQ(is_pending(SIGCONT), way == 1);
			finish();
		}
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status));
		CHECK_OK(kill(pid, SIGCONT));
		CHECK_EQ(ended(pid), 0);
	}

	/* The stop signals other than SIGSTOP can be caught, blocked, ignored; SIGCONT removes pending ones. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(handle(SIGTSTP, on_continue, 0));
		CHECK_OK(raise(SIGTSTP));
		CHECK_EQ(continued, 1);
		signal(SIGTTIN, SIG_IGN);
		CHECK_OK(raise(SIGTTIN));
		mask(SIG_BLOCK, SIGTTOU);
		CHECK_OK(raise(SIGTTOU));
		CHECK(is_pending(SIGTTOU));
		CHECK_OK(raise(SIGCONT));
		CHECK(!is_pending(SIGTTOU));
		finish();
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(status, 0);
	return check_done();
}
