/* Every call that takes a path: the paths that lead nowhere, the flags that do not exist, the places where they cannot be used.
 *
 * @in scratch
 * @cflags -w
 */
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include "errors.h"

/* With the system call's own flags, which libc may use for itself. */
static int statx_call(int dir, const char *path, int flags, unsigned mask, void *to)
{
	return (int)syscall(SYS_statx, dir, path, flags, mask, to);
}

/* File handles, or the answer of a file system that has none. */
static int handle_of(int dir, const char *path, int flags)
{
	static _Alignas(struct file_handle) char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	int mount, result;
	((struct file_handle *)room)->handle_bytes = MAX_HANDLE_SZ;
	result = name_to_handle_at(dir, path, (void *)room, &mount, flags);
	return result < 0 && errno == EOPNOTSUPP ? 0 : result;
}

static void nowhere(void)
{
	struct stat st;
	struct statfs fs;
	char text[16];
	CHECK_PATHS_AT(openat(D, P, O_RDONLY));
	CHECK_PATHS_AT(openat(D, P, O_RDWR | O_CREAT, 0600) < 0 ? -1 : (unlinkat(D, P, 0), errno = ENOENT, -1));
	CHECK_PATHS_AT(unlinkat(D, P, 0));
	CHECK_PATHS_AT(unlinkat(D, P, AT_REMOVEDIR));
	CHECK_PATHS_AT(fstatat(D, P, &st, 0));
	CHECK_PATHS_AT(statx_call(D, P, 0, STATX_ALL, &st));
	CHECK_PATHS_AT(readlinkat(D, P, text, sizeof text));
	CHECK_PATHS_AT(faccessat(D, P, F_OK, 0));
	CHECK_PATHS_AT(syscall(SYS_faccessat, D, P, F_OK));
	CHECK_PATHS_AT(syscall(SYS_faccessat2, D, P, F_OK, AT_EACCESS));
	CHECK_PATHS_AT(fchmodat(D, P, 0600, 0));
	CHECK_PATHS_AT(fchownat(D, P, -1, -1, 0));
	CHECK_PATHS_AT(utimensat(D, P, (struct timespec[2]){ { 1, 0 }, { 2, 0 } }, 0));
	CHECK_PATHS_AT(linkat(D, P, AT_FDCWD, "new", 0));
	CHECK_PATHS_AT(renameat(D, P, AT_FDCWD, "new"));
	CHECK_PATHS_AT(handle_of(D, P, 0));
	CHECK_PATHS(chdir(P));
	CHECK_PATHS(truncate(P, 1));
	CHECK_PATHS(statfs(P, &fs));
	CHECK_PATHS(setxattr(P, "user.a", "", 0, 0));
	CHECK_PATHS(lsetxattr(P, "user.a", "", 0, 0));
	CHECK_PATHS(getxattr(P, "user.a", text, 1));
	CHECK_PATHS(lgetxattr(P, "user.a", text, 1));
	CHECK_PATHS(listxattr(P, text, 1));
	CHECK_PATHS(llistxattr(P, text, 1));
	CHECK_PATHS(removexattr(P, "user.a"));
	CHECK_PATHS(lremovexattr(P, "user.a"));
}

/* Names that are to be made: an empty one or one in an absent directory cannot. */
static void making(void)
{
	CHECK_PATHS_AT(mkdirat(D, P, 0700) < 0 ? -1 : (unlinkat(D, P, AT_REMOVEDIR), errno = ENOENT, -1));
	CHECK_PATHS_AT(mknodat(D, P, S_IFIFO | 0600, 0) < 0 ? -1 : (unlinkat(D, P, 0), errno = ENOENT, -1));
	CHECK_PATHS_AT(symlinkat("target", D, P) < 0 ? -1 : (unlinkat(D, P, 0), errno = ENOENT, -1));
	CHECK_PATHS_AT(linkat(AT_FDCWD, "file", D, P, 0) < 0 ? -1 : (unlinkat(D, P, 0), errno = ENOENT, -1));
	CHECK_PATHS_AT(renameat(AT_FDCWD, "file", D, P));
	CHECK_ERRNO(mkdir("dir", 0700), EEXIST);
	CHECK_ERRNO(mkdir("file", 0700), EEXIST);
	CHECK_ERRNO(mkdir("loop", 0700), EEXIST);
	CHECK_ERRNO(mkdir("/", 0700), EEXIST);
	CHECK_ERRNO(mkfifo("file", 0600), EEXIST);
	CHECK_ERRNO(mknod("new", S_IFDIR | 0700, 0), EPERM);
	CHECK_ERRNO(mknod("new", S_IFMT, 0), EINVAL);
	CHECK_ERRNO(mknod("file", 0600, 0), EEXIST);
	CHECK_OK(mknod("regular", 0600, 0));
	CHECK_OK(mknod("socket", S_IFSOCK | 0600, 0));
	CHECK_ERRNO(symlink("x", "file"), EEXIST);
	CHECK_ERRNO(symlink("", "new"), ENOENT);
	CHECK_ERRNO(symlink(BAD, "new"), EFAULT);
	CHECK_ERRNO(symlink(long_path, "new"), ENAMETOOLONG);
	CHECK_ERRNO(symlink("x", "dir/"), EEXIST);
	CHECK_ERRNO(symlink("x", "new/"), ENOENT);
}

static void kinds(void)
{
	char text[16];
	struct stat st;
	CHECK_ERRNO(unlink("dir"), EISDIR);
	CHECK_ERRNO(rmdir("file"), ENOTDIR);
	CHECK_ERRNO(rmdir("loop"), ENOTDIR);
	CHECK_ERRNO(rmdir("dir/."), EINVAL);
	CHECK_ERRNO(rmdir("dir/.."), ENOTEMPTY);
	CHECK_ERRNO(rmdir("/"), EBUSY);
	CHECK_ERRNO(unlink("file/"), ENOTDIR);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "file", 1), EINVAL);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR | AT_SYMLINK_NOFOLLOW), EINVAL);
	CHECK_ERRNO(link("dir", "new"), EPERM);
	CHECK_ERRNO(link("file", "dir"), EEXIST);
	CHECK_ERRNO(linkat(AT_FDCWD, "file", AT_FDCWD, "new", 1), EINVAL);
	CHECK_ERRNO(linkat(AT_FDCWD, "loop", AT_FDCWD, "new", AT_SYMLINK_FOLLOW), ELOOP);
	CHECK_ERRNO(link("file", "/dev/null"), EEXIST);
	CHECK_ERRNO(link("file", "/proc/self/comm"), EEXIST);
	CHECK_OK(linkat(AT_FDCWD, "loop", AT_FDCWD, "loop-again", 0));
	CHECK_ERRNO(rename("dir", "dir/below"), EINVAL);
	CHECK_ERRNO(rename("dir", "file"), ENOTDIR);
	CHECK_ERRNO(rename("file", "dir"), EISDIR);
	CHECK_ERRNO(rename("file", "dir/."), EBUSY);
	CHECK_ERRNO(rename("dir/..", "new"), EBUSY);
	CHECK_ERRNO(rename("file", "new/"), ENOTDIR);
	CHECK_ERRNO(renameat2(AT_FDCWD, "file", AT_FDCWD, "absent", RENAME_EXCHANGE), ENOENT);
	CHECK_ERRNO(renameat2(AT_FDCWD, "file", AT_FDCWD, "dir", RENAME_NOREPLACE), EEXIST);
	CHECK_ERRNO(renameat2(AT_FDCWD, "file", AT_FDCWD, "new", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	CHECK_ERRNO(renameat2(AT_FDCWD, "file", AT_FDCWD, "new", 1 << 3), EINVAL);
	CHECK_OK(mkdir("full", 0700));
	CHECK_OK(mkdir("full/inside", 0700));
	CHECK_ERRNO(rename("dir", "full"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("full"), ENOTEMPTY);
	CHECK_ERRNO(rename("full/inside", "full"), ENOTEMPTY);
	CHECK_ERRNO(readlink("file", text, sizeof text), EINVAL);
	CHECK_ERRNO(readlink("dir", text, sizeof text), EINVAL);
	CHECK_ERRNO(readlink("loop", text, 0), EINVAL);
	CHECK_ERRNO(readlink("loop", BAD, sizeof text), EFAULT);
	CHECK_EQ(readlink("loop", text, 2), 2);
	CHECK_ERRNO(chdir("file"), ENOTDIR);
	int fd = open("file", O_RDONLY);
	CHECK_ERRNO(fchdir(fd), ENOTDIR);
	CHECK_ERRNO(fchdir(CLOSED), EBADF);
	CHECK_ERRNO(syscall(SYS_getdents64, fd, text, sizeof text), ENOTDIR);
	CHECK_ERRNO(syscall(SYS_getdents64, CLOSED, text, sizeof text), EBADF);
	CHECK_OK(close(fd));
	fd = open(".", O_RDONLY);
	CHECK_ERRNO(syscall(SYS_getdents64, fd, text, 1), EINVAL);
	CHECK_OK(close(fd));
	/* A directory that is gone: no names in it, none can be made. */
	fd = open("dir", O_RDONLY);
	char entries[512];
	CHECK_OK(rmdir("dir"));
	CHECK_ERRNO(syscall(SYS_getdents64, fd, entries, sizeof entries), ENOENT);
	CHECK_ERRNO(mkdirat(fd, "x", 0700), ENOENT);
	CHECK_ERRNO(openat(fd, "x", O_CREAT | O_WRONLY, 0600), ENOENT);
	CHECK_OK(fstat(fd, &st));
	CHECK_OK(fchdir(fd));
	CHECK_ERRNO(syscall(SYS_getcwd, entries, sizeof entries), ENOENT);
	CHECK_ERRNO(open("..", O_RDONLY) < 0 ? -1 : (errno = ENOENT, -1), ENOENT);
}

static void flags(void)
{
	struct stat st;
	CHECK_ERRNO(faccessat(AT_FDCWD, "file", 8, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "file", F_OK, 1), EINVAL);
	CHECK_OK(syscall(SYS_faccessat2, AT_FDCWD, "loop", F_OK, AT_SYMLINK_NOFOLLOW));
	int fd = open("file", O_RDONLY);
	CHECK_OK(syscall(SYS_faccessat2, fd, "", R_OK, AT_EMPTY_PATH));
	CHECK_ERRNO(syscall(SYS_faccessat2, CLOSED, "", R_OK, AT_EMPTY_PATH), EBADF);
	CHECK_OK(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
	CHECK_ERRNO(fchownat(fd, "", -1, -1, 1), EINVAL);
	CHECK_OK(fchownat(AT_FDCWD, "loop", -1, -1, AT_SYMLINK_NOFOLLOW));
	CHECK_OK(fchown(fd, -1, -1));
	CHECK_OK(fchown(fd, geteuid(), getegid()));
	CHECK_ERRNO(fchown(CLOSED, -1, -1), EBADF);
	CHECK_ERRNO(fchmod(CLOSED, 0600), EBADF);
	CHECK_OK(statx_call(fd, "", AT_EMPTY_PATH, STATX_ALL, (char[256]){ 0 }));
	CHECK_ERRNO(statx_call(AT_FDCWD, "file", 1, STATX_ALL, &st), EINVAL);
	CHECK_ERRNO(statx_call(AT_FDCWD, "file", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_ALL, &st), EINVAL);
	CHECK_ERRNO(statx_call(AT_FDCWD, "file", 0, STATX__RESERVED, &st), EINVAL);
	CHECK_OK(statx_call(AT_FDCWD, "file", AT_STATX_FORCE_SYNC, STATX_MODE, (char[256]){ 0 }));
	CHECK_OK(statx_call(AT_FDCWD, "file", AT_STATX_DONT_SYNC, STATX_SIZE, (char[256]){ 0 }));
	CHECK_ERRNO(statx_call(AT_FDCWD, "file", 0, STATX_ALL, BAD), EFAULT);
	CHECK_OK(handle_of(AT_FDCWD, "file", 0));
	CHECK_OK(handle_of(AT_FDCWD, "loop", 0));
	CHECK_OK(handle_of(fd, "", AT_EMPTY_PATH));
	CHECK_ERRNO(handle_of(AT_FDCWD, "loop", AT_SYMLINK_FOLLOW), ELOOP);
	CHECK_ERRNO(handle_of(AT_FDCWD, "file", 0x10), EINVAL);
	CHECK_ERRNO(handle_of(CLOSED, "", AT_EMPTY_PATH), EBADF);
	int path = open("file", O_PATH);
	CHECK_ERRNO(fchmod(path, 0600), EBADF);
	CHECK_ERRNO(fchown(path, -1, -1), EBADF);
	CHECK_OK(fstat(path, &st));
	CHECK_OK(fchownat(path, "", -1, -1, AT_EMPTY_PATH));
	CHECK_OK(linkat(AT_FDCWD, "file", AT_FDCWD, "again", 0));
	CHECK_ERRNO(utimensat(AT_FDCWD, "file", BAD, 0), EFAULT);
	CHECK_ERRNO(utimensat(AT_FDCWD, "file", NULL, 1), EINVAL);
	CHECK_ERRNO(utimensat(AT_FDCWD, "file", (struct timespec[2]){ { 0, -1 }, { 0, 0 } }, 0), EINVAL);
	CHECK_OK(utimensat(AT_FDCWD, "file", (struct timespec[2]){ { 1, UTIME_OMIT }, { 1, UTIME_OMIT } }, 0));
	CHECK_ERRNO(futimens(CLOSED, NULL), EBADF);
	struct statfs fs;
	CHECK_ERRNO(fstatfs(CLOSED, &fs), EBADF);
	CHECK_OK(fstatfs(path, &fs));
	CHECK_ERRNO(syscall(SYS_getcwd, (char[1]){ 0 }, 1), ERANGE);
	CHECK_ERRNO(syscall(SYS_getcwd, BAD, 4096), EFAULT);
}

int main(void)
{
	prepare_paths();
	nowhere();
	making();
	flags();
	kinds();
	return check_done();
}
