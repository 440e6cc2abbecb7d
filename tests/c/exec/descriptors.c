/* Descriptors across an exec: close-on-exec goes, the rest stays with offset and flags; a shared table is unshared.
 *
 * @in scratch
 */
#include <dirent.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include "process.h"

static int image(void)
{
	char seen[41] = "", text[8] = "";
	for (int fd = 0; fd < 40; fd++)
		seen[fd] = fcntl(fd, F_GETFD) == 0 ? 'o' : fcntl(fd, F_GETFD) > 0 ? 'c' : '.';
	CHECK_STR(seen, "ooo.................o.o.o...............");
	CHECK_EQ(read(20, text, 3), 3);
	CHECK_STR(text, "345");
	CHECK(fcntl(20, F_GETFL) & O_APPEND);
	eventfd_t value;
	CHECK_EQ(eventfd_read(24, &value), 0);
	CHECK_EQ(value, 5);
	finish();
}

static char **args;

static int executes(void *argument)
{
	(void)argument;
	execv(args[0], args);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return image();
	closefrom(3);
	int file = open("file", O_RDWR | O_CREAT | O_APPEND, 0644);
	CHECK_EQ(write(file, "0123456789", 10), 10);
	CHECK_EQ(lseek(file, 3, SEEK_SET), 3);
	CHECK_EQ(dup2(file, 20), 20);
	CHECK_EQ(dup3(file, 21, O_CLOEXEC), 21);
	/* dup2 clears the flag of its target. */
	CHECK_EQ(dup2(21, 22), 22);
	CHECK_EQ(fcntl(file, F_DUPFD_CLOEXEC, 23), 23);
	CHECK_EQ(dup2(eventfd(5, 0), 24), 24);
	CHECK_OK(fcntl(epoll_create1(EPOLL_CLOEXEC), F_GETFD));
	CHECK(opendir(".") != NULL);
	for (int fd = 3; fd < 10; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	char *again[] = { argv[0], "image", NULL };
	args = again;
	pid_t pid = start();
	if (pid == 0)
		executes(NULL);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(lseek(file, 3, SEEK_SET), 3);
	CHECK_EQ(eventfd_write(24, 5), 0);

	/* CLONE_FILES ends with the exec: our own close-on-exec descriptors stay open. */
	char *stack = malloc(262144);
	fflush(stdout);
	pid = clone(executes, stack + 262144, CLONE_FILES | SIGCHLD, NULL);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(fcntl(21, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(23, F_GETFD), FD_CLOEXEC);
	return check_done();
}
