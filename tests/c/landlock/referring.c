/* What landlock(7) says of files that get another directory, of ports, and of other processes.
 *
 * @in scratch
 * @host landlock
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <signal.h>
#include <sys/uio.h>
#include "landlock.h"

/* A domain that does not know of REFER lets nothing get another directory. */
static void without_refer(void)
{
	int fd = create(READ_FILE, 0);
	CHECK_OK(allow(fd, ".", READ_FILE));
	restrict_by(fd);
	CHECK_OK(rename("a/file", "a/other"));
	CHECK_OK(rename("a/other", "a/file"));
	CHECK_OK(link("a/file", "a/other"));
	CHECK_OK(unlink("a/other"));
	CHECK_ERRNO(rename("a/file", "b/file"), EXDEV);
	CHECK_ERRNO(link("a/file", "b/file"), EXDEV);
	CHECK_ERRNO(link("a/file", "b/there"), EEXIST);
	CHECK_ERRNO(rename("a/missing", "b/file"), ENOENT);
	CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "a/file", AT_FDCWD, "b/there", 2), EXDEV);
}

static void with_refer(void)
{
	int fd = create(REFER | MAKE_REG | REMOVE_FILE | READ_FILE | EXECUTE, 0);
	CHECK_OK(allow(fd, "a", REFER | MAKE_REG | REMOVE_FILE | READ_FILE));
	CHECK_OK(allow(fd, "b", REFER | MAKE_REG | REMOVE_FILE | READ_FILE));
	CHECK_OK(allow(fd, "more", REFER | MAKE_REG | REMOVE_FILE | READ_FILE | EXECUTE));
	CHECK_OK(allow(fd, "no_make", REFER | REMOVE_FILE | READ_FILE));
	CHECK_OK(allow(fd, "no_remove", REFER | MAKE_REG | READ_FILE));
	CHECK_OK(allow(fd, "no_refer", MAKE_REG | REMOVE_FILE | READ_FILE));
	restrict_by(fd);
	CHECK_OK(rename("a/file", "b/file"));
	CHECK_OK(rename("b/file", "a/file"));
	CHECK_OK(link("a/file", "b/file"));
	CHECK_OK(unlink("b/file"));
	CHECK_OK(syscall(SYS_renameat2, AT_FDCWD, "a/file", AT_FDCWD, "b/there", 2));
	CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "a/file", AT_FDCWD, "b/there", 1), EEXIST);
	/* It could be executed there. */
	CHECK_ERRNO(rename("a/file", "more/file"), EXDEV);
	CHECK_ERRNO(link("a/file", "more/file"), EXDEV);
	CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "a/file", AT_FDCWD, "more/there", 2), EXDEV);
	CHECK_OK(link("more/there", "a/linked"));
	CHECK_OK(unlink("a/linked"));
	CHECK_ERRNO(rename("a/file", "no_make/file"), EACCES);
	CHECK_ERRNO(rename("no_remove/there", "a/moved"), EACCES);
	CHECK_OK(link("no_remove/there", "a/linked"));
	CHECK_OK(unlink("a/linked"));
	/* The file that is replaced is removed. */
	CHECK_ERRNO(rename("a/file", "no_remove/there"), EACCES);
	CHECK_ERRNO(rename("a/file", "no_refer/file"), EXDEV);
	CHECK_ERRNO(rename("no_refer/there", "a/moved"), EXDEV);
	CHECK_ERRNO(rename("no_remove/there", "no_remove/moved"), EACCES);
	CHECK_OK(rename("a/dir", "b/dir"));
	CHECK_ERRNO(rename("a/file", "out"), EACCES);
}

static struct sockaddr_in at(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static int bound(int kind, int port)
{
	struct sockaddr_in address = at(port);
	int fd = socket(AF_INET, kind, 0);
	int result = bind(fd, (void *)&address, sizeof address) ? errno : 0;
	close(fd);
	return result;
}

static int connected(int kind, int port)
{
	struct sockaddr_in address = at(port);
	int fd = socket(AF_INET, kind, 0);
	int result = connect(fd, (void *)&address, sizeof address) ? errno : 0;
	close(fd);
	return result;
}

static int listening;

static void ports(void)
{
	int fd = create(0, BIND_TCP | CONNECT_TCP);
	CHECK_OK(allow_port(fd, 0, BIND_TCP));
	CHECK_OK(allow_port(fd, listening, CONNECT_TCP));
	restrict_by(fd);
	CHECK_EQ(bound(SOCK_STREAM, 0), 0);
	CHECK_EQ(bound(SOCK_STREAM, listening + 1), EACCES);
	CHECK_EQ(bound(SOCK_DGRAM, 0), 0);
	CHECK_EQ(connected(SOCK_STREAM, listening), 0);
	CHECK_EQ(connected(SOCK_STREAM, listening + 1), EACCES);
	CHECK_EQ(connected(SOCK_DGRAM, listening + 1), 0);
	int none = create(0, CONNECT_TCP);
	restrict_by(none);
	CHECK_EQ(connected(SOCK_STREAM, listening), EACCES);
	CHECK_EQ(bound(SOCK_STREAM, 0), 0);
}

static int value = 42;

static int reads(pid_t pid)
{
	int copy = 0;
	struct iovec here = { &copy, sizeof copy }, there = { &value, sizeof value };
	return process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof copy ? 0 : errno;
}

/* Only who is restricted in the same way, or more, may be looked into. */
static void processes(void)
{
	char byte, name[64];
	int ends[2], status;
	restrict_by(create(MAKE_BLOCK, 0));
	CHECK_EQ(reads(getppid()), EPERM);
	CHECK_ERRNO(syscall(SYS_kcmp, getpid(), getppid(), 1, 0, 0), EPERM);
	snprintf(name, sizeof name, "/proc/%d/cwd", getppid());
	CHECK_ERRNO(readlink(name, &byte, 1), EACCES);
	CHECK_OK(readlink("/proc/self/cwd", &byte, 1));
	CHECK_EQ(reads(getpid()), 0);
	CHECK_OK(pipe(ends));
	pid_t child = fork();
	if (child == 0) {
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	CHECK_EQ(reads(child), 0);
	restrict_by(create(MAKE_BLOCK, 0));
	CHECK_EQ(reads(child), EPERM);
	CHECK_OK(kill(child, SIGKILL));
	CHECK_EQ(waitpid(child, &status, 0), child);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	static const char *const names[] = { "a", "b", "more", "no_make", "no_remove", "no_refer" };
	struct sockaddr_in address = at(0);
	socklen_t length = sizeof address;
	for (int i = 0; i < 6; i++) {
		char path[64];
		CHECK_OK(mkdir(names[i], 0755));
		snprintf(path, sizeof path, "%s/there", names[i]);
		make_file(path);
	}
	make_file("a/file");
	CHECK_OK(mkdir("a/dir", 0755));
	in_child(without_refer);
	in_child(with_refer);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_OK(bind(server, (void *)&address, sizeof address));
	CHECK_OK(listen(server, 8));
	CHECK_OK(getsockname(server, (void *)&address, &length));
	listening = ntohs(address.sin_port);
	in_child(ports);
	in_child(processes);
	return check_done();
}
