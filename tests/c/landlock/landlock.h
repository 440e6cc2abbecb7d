/* Rulesets in few words, and checks in a child that has restricted itself. */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../check.h"

/* As linux/landlock.h has them since Linux 6.7. */
enum {
	EXECUTE = 1, WRITE_FILE = 1 << 1, READ_FILE = 1 << 2, READ_DIR = 1 << 3, REMOVE_DIR = 1 << 4, REMOVE_FILE = 1 << 5,
	MAKE_CHAR = 1 << 6, MAKE_DIR = 1 << 7, MAKE_REG = 1 << 8, MAKE_SOCK = 1 << 9, MAKE_FIFO = 1 << 10,
	MAKE_BLOCK = 1 << 11, MAKE_SYM = 1 << 12, REFER = 1 << 13, TRUNCATE = 1 << 14,
	BIND_TCP = 1, CONNECT_TCP = 2,
	PATH_BENEATH = 1, NET_PORT = 2,
};

struct ruleset {
	uint64_t files, ports;
};

struct beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct port {
	uint64_t allowed, port;
};

static inline int create(uint64_t files, uint64_t ports)
{
	struct ruleset attr = { files, ports };
	return syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
}

static inline int allow(int ruleset, const char *path, uint64_t allowed)
{
	struct beneath rule = { allowed, open(path, O_PATH | O_CLOEXEC) };
	int result = syscall(SYS_landlock_add_rule, ruleset, PATH_BENEATH, &rule, 0), error = errno;
	close(rule.parent);
	errno = error;
	return result;
}

static inline int allow_port(int ruleset, uint64_t port, uint64_t allowed)
{
	struct port rule = { allowed, port };
	return syscall(SYS_landlock_add_rule, ruleset, NET_PORT, &rule, 0);
}

/* Restricts the caller by a ruleset, and closes it. */
static inline void restrict_by(int ruleset)
{
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_OK(syscall(SYS_landlock_restrict_self, ruleset, 0));
	CHECK_OK(close(ruleset));
}

/* Runs something in a child, whose checks count. */
static inline void in_child(void (*run)(void))
{
	int status;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		check_failures = 0;
		run();
		fflush(stdout);
		_exit(check_failures != 0);
	}
	CHECK_OK(child);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

static inline void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0755);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, "text\n", 5), 5);
	CHECK_OK(close(fd));
}

/* Opening fails with this error, or succeeds where it is 0. */
static inline int opens(const char *path, int flags)
{
	int fd = open(path, flags, 0644);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}
