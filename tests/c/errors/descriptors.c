/* Calls that make or change descriptors: each flag, each wrong argument, and the limit of their number.
 *
 * @in scratch
 * @cflags -w
 */
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include "errors.h"

static int closes_on_exec(int fd)
{
	int flags = fcntl(fd, F_GETFD);
	close(fd);
	return flags;
}

static int openat2_call(const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { flags, mode, resolve };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void opening(void)
{
	CHECK_ERRNO(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("dir", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("dir", O_RDONLY | O_CREAT, 0600), EISDIR);
	CHECK_ERRNO(open(".", O_RDWR), EISDIR);
	CHECK_ERRNO(open("file", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_ERRNO(open("loop", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_ERRNO(open("loop", O_RDONLY), ELOOP);
	CHECK_ERRNO(open("loop", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERRNO(open("absent", O_TRUNC | O_WRONLY), ENOENT);
	CHECK_ERRNO(open("absent/", O_CREAT | O_WRONLY, 0600), EISDIR);
	CHECK_ERRNO(open("dir", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	CHECK_ERRNO(open("file", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
	CHECK_ERRNO(open("absent", O_TMPFILE | O_RDWR, 0600), ENOENT);
	CHECK_OK(mkfifo("fifo", 0600));
	CHECK_ERRNO(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	CHECK_OK(mknod("socket", S_IFSOCK | 0600, 0));
	CHECK_ERRNO(open("socket", O_RDWR), ENXIO);
	CHECK_OK(close(open("socket", O_PATH)));
	CHECK_OK(close(open("file", O_RDONLY | O_SYNC | O_DSYNC | O_NOCTTY | O_NONBLOCK)));
	CHECK_OK(close(open("file", O_RDWR | O_NOATIME)));
	CHECK_OK(close(open("loop", O_PATH | O_NOFOLLOW)));

	struct open_how how = { .flags = O_RDONLY };
	char big[64] = "";
	CHECK_OK(openat2_call("file", O_RDONLY | O_CLOEXEC, 0, 0));
	CHECK_OK(openat2_call("new", O_RDWR | O_CREAT | O_EXCL, 0600, RESOLVE_BENEATH));
	CHECK_ERRNO(openat2_call("absent", O_RDONLY, 0, 0), ENOENT);
	CHECK_ERRNO(openat2_call("file", O_RDONLY, 0600, 0), EINVAL);
	CHECK_ERRNO(openat2_call("file", O_RDONLY | O_CREAT, 010000, 0), EINVAL);
	CHECK_ERRNO(openat2_call("file", 1ULL << 40, 0, 0), EINVAL);
	CHECK_ERRNO(openat2_call("file", 1 << 30, 0, 0), EINVAL);
	CHECK_ERRNO(openat2_call("file", O_PATH | O_RDWR, 0, 0), EINVAL);
	CHECK_ERRNO(openat2_call("file", O_RDONLY, 0, 1 << 10), EINVAL);
	CHECK_ERRNO(openat2_call("file", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
	CHECK_ERRNO(openat2_call("../x", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(openat2_call("/", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
	CHECK_OK(openat2_call("/file", O_RDONLY, 0, RESOLVE_IN_ROOT));
	CHECK_OK(openat2_call("../../file", O_RDONLY, 0, RESOLVE_IN_ROOT));
	CHECK_OK(symlink("file", "link"));
	CHECK_OK(openat2_call("link", O_RDONLY, 0, 0));
	CHECK_ERRNO(openat2_call("link", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK_ERRNO(openat2_call("loop", O_RDONLY, 0, 0), ELOOP);
	CHECK_ERRNO(openat2_call("/proc/self/fd/0", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
	CHECK_OK(openat2_call("link", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof how - 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "file", BAD, sizeof how), EFAULT);
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "file", &how, 5000), E2BIG);
	CHECK_OK(close(syscall(SYS_openat2, AT_FDCWD, "file", big, sizeof big)));
	big[60] = 1;
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "file", big, sizeof big), E2BIG);
	CHECK_ERRNO(syscall(SYS_openat2, CLOSED, "file", &how, sizeof how), EBADF);
}

static void making(void)
{
	int ends[2];
	uint64_t set = 0;
	CHECK_EQ(closes_on_exec(memfd_create("x", MFD_CLOEXEC)), FD_CLOEXEC);
	CHECK_EQ(closes_on_exec(memfd_create("", 0)), 0);
	CHECK_ERRNO(memfd_create("x", 1 << 10), EINVAL);
	CHECK_ERRNO(memfd_create(BAD, 0), EFAULT);
	CHECK_ERRNO(memfd_create(long_name, 0), EINVAL);
	CHECK_EQ(closes_on_exec(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)), FD_CLOEXEC);
	CHECK_ERRNO(eventfd(0, 2), EINVAL);
	CHECK_EQ(closes_on_exec(epoll_create1(EPOLL_CLOEXEC)), FD_CLOEXEC);
	CHECK_ERRNO(epoll_create1(1), EINVAL);
	CHECK_ERRNO(epoll_create(0), EINVAL);
	CHECK_EQ(closes_on_exec(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)), FD_CLOEXEC);
	CHECK_EQ(closes_on_exec(timerfd_create(CLOCK_BOOTTIME, 0)), 0);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
	CHECK_EQ(closes_on_exec(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), FD_CLOEXEC);
	CHECK_ERRNO(inotify_init1(1), EINVAL);
	CHECK_EQ(closes_on_exec(syscall(SYS_signalfd4, -1, &set, 8, SFD_CLOEXEC | SFD_NONBLOCK)), FD_CLOEXEC);
	CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 8, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_signalfd4, -1, BAD, 8, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_signalfd4, CLOSED, &set, 8, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_signalfd4, 0, &set, 8, 0), EINVAL);
	CHECK_ERRNO(pipe2(ends, 1), EINVAL);
	CHECK_ERRNO(pipe2(BAD, 0), EFAULT);
	CHECK_OK(pipe2(ends, O_CLOEXEC | O_DIRECT | O_NONBLOCK));
	/* One message a write. */
	char text[8];
	CHECK_EQ(write(ends[1], "one", 3), 3);
	CHECK_EQ(write(ends[1], "two", 3), 3);
	int waiting = 0;
	CHECK_OK(ioctl(ends[0], FIONREAD, &waiting));
	CHECK_EQ(waiting, 6);
	CHECK_EQ(read(ends[0], text, sizeof text), 3);
	CHECK_EQ(read(ends[0], text, 2), 2);
	CHECK_ERRNO(read(ends[0], text, 2), EAGAIN);
	close(ends[0]);
	close(ends[1]);
}

static void changing(void)
{
	int fd = open("file", O_RDONLY), path = open("file", O_PATH);
	CHECK_ERRNO(dup(CLOSED), EBADF);
	CHECK_ERRNO(dup2(CLOSED, 50), EBADF);
	CHECK_ERRNO(dup2(fd, -1), EBADF);
	CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
	CHECK_ERRNO(dup3(fd, 50, 1), EINVAL);
	CHECK_ERRNO(dup3(CLOSED, 50, 0), EBADF);
	CHECK_ERRNO(dup3(fd, 1 << 30, 0), EBADF);
	CHECK_ERRNO(fcntl(CLOSED, F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(fd, 999), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_GETLK, BAD), EFAULT);
	CHECK_ERRNO(fcntl(fd, F_SETLK, BAD), EFAULT);
	CHECK_ERRNO(fcntl(fd, F_GETOWN_EX, BAD), EFAULT);
	CHECK_ERRNO(fcntl(fd, F_SETOWN_EX, BAD), EFAULT);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &(struct flock){ .l_type = 9 }), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_RDLCK, .l_whence = 9 }), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_RDLCK, .l_start = -1 }), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK }), EBADF);
	CHECK_ERRNO(fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_RDLCK, .l_pid = 1 }), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETSIG, 65), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_GETPIPE_SZ), EBADF);
	CHECK_ERRNO(fcntl(fd, F_SETPIPE_SZ, 4096), EBADF);
	CHECK_ERRNO(fcntl(fd, F_GET_SEALS), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	CHECK_ERRNO(fcntl(path, F_SETFL, O_APPEND), EBADF);
	CHECK_ERRNO(fcntl(path, F_SETLK, &(struct flock){ .l_type = F_RDLCK }), EBADF);
	CHECK_OK(fcntl(path, F_GETFL));
	CHECK_OK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
	CHECK_ERRNO(ioctl(CLOSED, 0), EBADF);
	CHECK_ERRNO(close_range(5, 4, 0), EINVAL);
	CHECK_ERRNO(close_range(1000, 1001, 1), EINVAL);
	int high = fcntl(fd, F_DUPFD, 60);
	CHECK_OK(close_range(60, ~0U, CLOSE_RANGE_CLOEXEC));
	CHECK_EQ(fcntl(high, F_GETFD), FD_CLOEXEC);
	CHECK_OK(close_range(60, ~0U, CLOSE_RANGE_UNSHARE));
	CHECK_ERRNO(close(high), EBADF);
	CHECK_ERRNO(close(-1), EBADF);
	CHECK_ERRNO(flock(fd, 0), EINVAL);
	CHECK_ERRNO(flock(CLOSED, LOCK_SH), EBADF);
	CHECK_ERRNO(flock(path, LOCK_SH), EBADF);
}

/* No call makes a descriptor beyond the limit. */
static void limited(void)
{
	int ends[2], first = dup(0);
	uint64_t set = 0;
	struct open_how how = { .flags = O_RDONLY };
	int receiver[2];
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, receiver));
	int next = dup(0);
	struct rlimit limit;
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = (rlim_t)next + 1;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_ERRNO(open("file", O_RDONLY), EMFILE);
	CHECK_ERRNO(open("file", O_PATH), EMFILE);
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof how), EMFILE);
	CHECK_ERRNO(dup(0), EMFILE);
	CHECK_ERRNO(dup3(0, next + 1, 0), EBADF);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 3), EMFILE);
	CHECK_ERRNO(fcntl(0, F_DUPFD_CLOEXEC, next + 1), EINVAL);
	CHECK_ERRNO(pipe2(ends, 0), EMFILE);
	CHECK_ERRNO(memfd_create("x", 0), EMFILE);
	CHECK_ERRNO(eventfd(0, 0), EMFILE);
	CHECK_ERRNO(epoll_create1(0), EMFILE);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 0), EMFILE);
	CHECK_ERRNO(inotify_init1(0), EMFILE);
	CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 8, 0), EMFILE);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 0), EMFILE);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), EMFILE);
	CHECK_ERRNO(syscall(SYS_pidfd_open, getpid(), 0), EMFILE);
	CHECK_OK(close(first));
	CHECK_ERRNO(pipe2(ends, 0), EMFILE);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), EMFILE);
	CHECK_EQ(dup(0), first);
}

int main(void)
{
	prepare_paths();
	opening();
	making();
	changing();
	limited();
	return check_done();
}
