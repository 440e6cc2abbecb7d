/* Filters of system calls for C tests. */
#ifndef FILTER_H
#define FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "process.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define NUMBER offsetof(struct seccomp_data, nr)
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

static inline long seccomp(unsigned operation, unsigned flags, void *args)
{
	return syscall(SYS_seccomp, operation, flags, args);
}

static inline int install(struct sock_filter *filter, size_t length, unsigned flags)
{
	struct sock_fprog program = { .len = length, .filter = filter };
	return seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* Lets one system call have an action, all others are allowed. */
static inline int refuse(long number, unsigned action, unsigned flags)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	return install(filter, LENGTH(filter), flags);
}

static inline int give_up_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void try_one(void)
{
	give_up_privileges();
	if (refuse(SYS_getppid, SECCOMP_RET_ALLOW, 0) != 0)
		_exit(1);
}

/* The number in a line of /proc/self/status. */
static inline int status(const char *key)
{
	char line[256];
	int value = -1;
	FILE *file = fopen("/proc/self/status", "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
			value = atoi(line + strlen(key) + 1);
	if (file)
		fclose(file);
	return value;
}

/* Containers may refuse seccomp(2) itself, natively. */
static inline int is_usable(void)
{
	return in_child(try_one) == 0;
}

#endif
