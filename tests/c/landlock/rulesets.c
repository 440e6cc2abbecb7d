/* The calls of landlock(7): versions, what makes a ruleset, what rules may say, who may restrict itself, layers.
 *
 * @in scratch
 * @host landlock
 */
#include <sys/socket.h>
#include "landlock.h"

static void errors_of_rulesets(void)
{
	struct { struct ruleset known; char more[4096]; } large = { { READ_FILE, 0 }, { 0 } };
	struct ruleset attr = { READ_FILE, 0 };
	CHECK(syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 4);
	CHECK_ERRNO(syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_landlock_create_ruleset, NULL, 8, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0x8000), EINVAL);
	CHECK_ERRNO(syscall(SYS_landlock_create_ruleset, &attr, 7, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_landlock_create_ruleset, &attr, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_landlock_create_ruleset, NULL, 8, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_landlock_create_ruleset, &large, sizeof large, 0), E2BIG);
	large.more[100] = 1;
	CHECK_ERRNO(syscall(SYS_landlock_create_ruleset, &large, 1000, 0), E2BIG);
	CHECK_ERRNO(create(0, 0), ENOMSG);
	CHECK_ERRNO(create(1ull << 40, 0), EINVAL);
	CHECK_ERRNO(create(0, 1ull << 40), EINVAL);
	large.more[100] = 0;
	int fd = syscall(SYS_landlock_create_ruleset, &large, 1000, 0);
	CHECK_OK(fd);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(read(fd, &attr, 1), EINVAL);
	CHECK_ERRNO(write(fd, &attr, 1), EINVAL);
	char link[64] = "", name[64];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	CHECK(readlink(name, link, sizeof link - 1) > 0);
	CHECK_STR(link, "anon_inode:[landlock-ruleset]");
	CHECK_OK(close(fd));
	fd = syscall(SYS_landlock_create_ruleset, &attr, 8, 0);
	CHECK_OK(fd);
	CHECK_OK(close(fd));
}

static void errors_of_rules(void)
{
	int fd = create(READ_FILE | READ_DIR, BIND_TCP), ends[2], file = open("file", O_RDONLY);
	struct beneath rule = { READ_FILE, -1 };
	struct port port = { BIND_TCP, 80 };
	CHECK_OK(fd);
	CHECK_OK(pipe(ends));
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, 9, &rule, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, 99, PATH_BENEATH, &rule, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, ends[0], PATH_BENEATH, &rule, 0), EBADFD);
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, NULL, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 0), EBADF);
	rule.parent = ends[0];
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 0), EBADFD);
	rule.parent = fd;
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 0), EBADFD);
	rule.parent = file;
	CHECK_OK(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 0));
	rule.allowed = READ_DIR;
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 0), EINVAL);
	rule.allowed = 0;
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 0), ENOMSG);
	rule.allowed = WRITE_FILE;
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 0), EINVAL);
	CHECK_OK(syscall(SYS_landlock_add_rule, fd, NET_PORT, &port, 0));
	port.port = 65536;
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, NET_PORT, &port, 0), EINVAL);
	port.allowed = 0;
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, NET_PORT, &port, 0), ENOMSG);
	port.allowed = CONNECT_TCP;
	CHECK_ERRNO(syscall(SYS_landlock_add_rule, fd, NET_PORT, &port, 0), EINVAL);
	for (int i = 0; i < 2; i++)
		CHECK_OK(close(ends[i]));
	CHECK_OK(close(file));
	CHECK_OK(close(fd));
}

static void layers(void)
{
	int fd = create(READ_FILE, 0);
	CHECK_OK(allow(fd, ".", READ_FILE));
	if (geteuid() != 0)
		CHECK_ERRNO(syscall(SYS_landlock_restrict_self, fd, 0), EPERM);
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_ERRNO(syscall(SYS_landlock_restrict_self, fd, 0x8000), EINVAL);
	CHECK_ERRNO(syscall(SYS_landlock_restrict_self, 99, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_landlock_restrict_self, 0, 0), EBADFD);
	for (int i = 0; i < 16; i++)
		CHECK_OK(syscall(SYS_landlock_restrict_self, fd, 0));
	CHECK_ERRNO(syscall(SYS_landlock_restrict_self, fd, 0), E2BIG);
	CHECK_EQ(opens("file", O_RDONLY), 0);
	CHECK_EQ(opens("/proc/self/status", O_RDONLY), EACCES);
}

/* What was allowed after a process has restricted itself is not; what one layer refuses, no later one allows. */
static void stacked(void)
{
	int first = create(READ_FILE | WRITE_FILE, 0);
	CHECK_OK(allow(first, "dir", READ_FILE));
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_OK(syscall(SYS_landlock_restrict_self, first, 0));
	CHECK_OK(allow(first, ".", READ_FILE | WRITE_FILE));
	CHECK_EQ(opens("file", O_RDONLY), EACCES);
	CHECK_EQ(opens("dir/file", O_RDONLY), 0);
	CHECK_EQ(opens("dir/file", O_WRONLY), EACCES);
	int second = create(READ_FILE, 0);
	CHECK_OK(allow(second, "dir/deep", READ_FILE));
	CHECK_OK(allow(second, "file", READ_FILE));
	restrict_by(second);
	CHECK_EQ(opens("dir/file", O_RDONLY), EACCES);
	CHECK_EQ(opens("dir/deep/file", O_RDONLY), 0);
	CHECK_EQ(opens("file", O_RDONLY), EACCES);
	/* Children have all of it, after execve as well. */
	if (fork() == 0)
		_exit(opens("dir/deep/file", O_RDONLY) || opens("file", O_RDONLY) != EACCES);
	int status;
	CHECK_OK(wait(&status));
	CHECK_EQ(status, 0);
}

int main(void)
{
	make_file("file");
	CHECK_OK(mkdir("dir", 0755));
	make_file("dir/file");
	CHECK_OK(mkdir("dir/deep", 0755));
	make_file("dir/deep/file");
	errors_of_rulesets();
	errors_of_rules();
	in_child(layers);
	in_child(stacked);
	/* Nobody else is restricted. */
	CHECK_EQ(opens("/proc/self/status", O_RDONLY), 0);
	return check_done();
}
