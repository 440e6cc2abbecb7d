/* The core-dump bit of a wait status: never without a core file, whatever the signal.
 *
 * @in scratch
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include "process.h"

static int status_of(int signo, rlim_t limit, int dumpable)
{
	int status = -1;
	pid_t pid = start();
	if (pid == 0) {
		struct rlimit core;
		getrlimit(RLIMIT_CORE, &core);
		core.rlim_cur = limit;
		if (setrlimit(RLIMIT_CORE, &core) != 0)
			_exit(1);
		if (!dumpable)
			prctl(PR_SET_DUMPABLE, 0);
		signal(signo, SIG_DFL);
		raise(signo);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

int main(void)
{
	static const int dumping[] = { SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS };
	static const int ending[] = { SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR };
	for (size_t i = 0; i < sizeof dumping / sizeof *dumping; i++)
		CHECK_EQ(status_of(dumping[i], 0, 0), dumping[i]);
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
		CHECK_EQ(status_of(ending[i], 0, 1), ending[i]);
	CHECK_EQ(status_of(SIGRTMIN, 0, 1), SIGRTMIN);
	/* Ignored by default, and those that stop or go on do not end at all. */
	CHECK_EQ(status_of(SIGCHLD, 0, 1), 0);
	CHECK_EQ(status_of(SIGURG, 0, 1), 0);
	CHECK_EQ(status_of(SIGWINCH, 0, 1), 0);
	CHECK_EQ(status_of(SIGCONT, 0, 1), 0);

	siginfo_t info;
	pid_t pid = start();
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		abort();
	}
	CHECK_OK(waitid(P_PID, (id_t)pid, &info, WEXITED));
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGABRT);
	return check_done();
}
