/* What tests of wrong arguments share: values that no call takes. */
#ifndef ERRORS_H
#define ERRORS_H

#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include "../process.h"

/* An address that is never mapped, and a descriptor that is never open. */
#define BAD ((void *)(uintptr_t)-4096)
enum { CLOSED = 777 };

/* A name and a path one byte longer than the longest. */
static char long_name[257], long_path[4097];

/* What paths need to go wrong: "file" of 5 bytes, "dir", "loop" to itself, and the long ones. */
static inline void prepare_paths(void)
{
	memset(long_name, 'n', sizeof long_name - 1);
	memset(long_path, '/', sizeof long_path - 1);
	int fd = creat("file", 0644);
	CHECK_EQ(write(fd, "12345", 5), 5);
	CHECK_OK(close(fd));
	CHECK_OK(mkdirat(AT_FDCWD, "dir", 0755));
	CHECK_OK(symlink("loop", "loop"));
}

/* `call` with each path that leads nowhere: `P` in it stands for the path. */
#define CHECK_PATHS(call)                                                       \
	do {                                                                    \
		const char *P = BAD;                                            \
		CHECK_ERRNO(call, EFAULT);                                      \
		P = "absent/x";                                                 \
		CHECK_ERRNO(call, ENOENT);                                      \
		P = "";                                                         \
		CHECK_ERRNO(call, ENOENT);                                      \
		P = "file/x";                                                   \
		CHECK_ERRNO(call, ENOTDIR);                                     \
		P = "loop/x";                                                   \
		CHECK_ERRNO(call, ELOOP);                                       \
		P = long_name;                                                  \
		CHECK_ERRNO(call, ENAMETOOLONG);                                \
		P = long_path;                                                  \
		CHECK_ERRNO(call, ENAMETOOLONG);                                \
	} while (0)

/* The same for a call with a directory's descriptor `D`: one that is closed, and one of a file. */
#define CHECK_PATHS_AT(call)                                                    \
	do {                                                                    \
		int D = AT_FDCWD;                                               \
		CHECK_PATHS(call);                                              \
		const char *P = "x";                                            \
		D = CLOSED;                                                     \
		CHECK_ERRNO(call, EBADF);                                       \
		D = open("file", O_RDONLY);                                     \
		CHECK_ERRNO(call, ENOTDIR);                                     \
		CHECK_OK(close(D));                                             \
	} while (0)

/* From here on the process has no privilege, whoever runs the test. */
static inline void drop_privileges(void)
{
	if (geteuid() == 0) {
		CHECK_OK(setresgid(54325, 54325, 54325));
		CHECK_OK(setresuid(54325, 54325, 54325));
		/* As of a process that never had any. */
		CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
	}
}


#endif
