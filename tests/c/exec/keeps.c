/* What stays across an exec: pid, parent, group, session, directory, umask, limits, niceness, locks, children; and what goes:
 * memory, locks of it, thread-specific data, atexit handlers.
 *
 * @in scratch
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "process.h"

static void never(void)
{
	puts("an atexit handler of the former image");
}

static int image(char **argv)
{
	char place[4096];
	struct rlimit limit;
	int status, number;
	CHECK_EQ(getpid(), atoi(argv[1]));
	CHECK_EQ(getppid(), atoi(argv[2]));
	CHECK_EQ(getpgrp(), getpid());
	CHECK_EQ(umask(0), 031);
	CHECK(getcwd(place, sizeof place) != NULL);
	CHECK_STR(strrchr(place, '/'), "/sub");
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(limit.rlim_cur, 123);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_OK(prctl(PR_GET_PDEATHSIG, &number));
	CHECK_EQ(number, SIGKILL);
	CHECK_OK(prctl(PR_GET_CHILD_SUBREAPER, &number));
	CHECK_EQ(number, 1);
	/* Children of the former image are ours. */
	CHECK_EQ(wait(&status), atoi(argv[3]));
	CHECK_EQ(shell_status(status), 71);
	/* The record lock is still held. */
	pid_t pid = start();
	if (pid == 0) {
		int fd = open("../file", O_RDWR);
		struct flock found = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		CHECK_OK(fcntl(fd, F_GETLK, &found));
		CHECK_EQ(found.l_pid, getppid());
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	fflush(stdout);
	exit(check_failures ? 99 : 0);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return image(argv);
	char numbers[3][16];
	pid_t pid = start();
	if (pid == 0) {
		int file = open("file", O_RDWR | O_CREAT, 0644);
		atexit(never);
		umask(031);
		CHECK_OK(mkdir("sub", 0777));
		CHECK_OK(chdir("sub"));
		CHECK_OK(setpgid(0, 0));
		CHECK_OK(setpriority(PRIO_PROCESS, 0, 5));
		CHECK_OK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 123, 200 }));
		CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
		CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
		CHECK_OK(fcntl(file, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }));
		pid_t child = start();
		if (child == 0)
			_exit(71);
		snprintf(numbers[0], 16, "%d", getpid());
		snprintf(numbers[1], 16, "%d", getppid());
		snprintf(numbers[2], 16, "%d", child);
		printf("unflushed output is lost");
		if (check_failures == 0)
			execl(argv[0], argv[0], numbers[0], numbers[1], numbers[2], (char *)NULL);
		_exit(98);
	}
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
