/* The core-dump bit is set where a core file may be written: by the limit, and by what the system does with core files.
 *
 * @in scratch
 */
#include <sys/resource.h>
#include "process.h"

int main(void)
{
	char pattern[128] = "core";
	int file = open("/proc/sys/kernel/core_pattern", O_RDONLY), status;
	if (file >= 0)
		pattern[read(file, pattern, sizeof pattern - 1)] = 0;
	pid_t pid = start();
	if (pid == 0) {
		struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };
		/* Who may not raise the limit is spared. */
		if (setrlimit(RLIMIT_CORE, &core) != 0)
			_exit(55);
		abort();
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (status != 55 << 8) {
		CHECK_EQ(WTERMSIG(status), SIGABRT);
		CHECK(WCOREDUMP(status) || pattern[0] == '/' || pattern[0] == '|');
	}
	return check_done();
}
