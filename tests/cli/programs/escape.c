/* Tries to reach the host from a sandbox that was granted nothing, and says what each attempt gives. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void try(const char *what, long result)
{
	int error = errno;
	printf("%s: %s\n", what, result < 0 ? strerrorname_np(error) : "succeeded");
}

static void try_open(const char *path)
{
	try(path, open(path, O_RDONLY));
}

int main(void)
{
	static char path[PATH_MAX + 100];
	static const char *const plain[] = { "/etc/passwd", "../../../../../../etc/passwd", "/tmp/../../etc/passwd",
		"/proc/self/root/etc/passwd", "/proc/self/cwd/../../etc/passwd", "/proc/1/root/etc/passwd", "/proc/self/fd/0/../etc/passwd",
		"/proc/self/fd/../root/etc/passwd", "/proc/self/mem", "/proc/thread-self/root/etc/passwd",
		"/proc/self/pagemap", "/dev/mem", "/dev/kmsg", "/dev/pts/ptmx", "/sys/kernel", "/home", "/root" };
	for (unsigned i = 0; i < sizeof plain / sizeof *plain; i++)
		try_open(plain[i]);

	try("symlink to /etc", symlink("/etc", "/tmp/etc"));
	try_open("/tmp/etc/passwd");
	try("symlink up", symlink("../../../../etc/passwd", "/tmp/up"));
	try_open("/tmp/up");
	try("symlink to the root", symlink("/proc/self/root/etc/passwd", "/tmp/root"));
	try_open("/tmp/root");

	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
	try("openat ../etc/passwd", openat(tmp, "../etc/passwd", O_RDONLY));
	try("openat ../../etc/passwd", openat(tmp, "../../etc/passwd", O_RDONLY));
	char held[64];
	snprintf(held, sizeof held, "/proc/self/fd/%d/../../etc/passwd", tmp);
	try_open(held);
	snprintf(held, sizeof held, "/proc/%d/fd/%d/../etc/passwd", getpid(), tmp);
	try_open(held);
	for (int i = 0; i < 1300; i++)
		strcat(path, "../");
	strcat(path, "etc/passwd");
	try("1300 times ../, then etc/passwd", open(path, O_RDONLY));

	try("chroot", syscall(SYS_chroot, "/"));
	try("mount", syscall(SYS_mount, "none", "/tmp", "proc", 0, 0));
	try("open_by_handle_at", syscall(SYS_open_by_handle_at, tmp, path, O_RDONLY));
	try("ptrace", syscall(SYS_ptrace, 16, 1, 0, 0));
	try("create in the root", open("/made", O_WRONLY | O_CREAT, 0600));
	try("write to the program", open("/proc/self/exe", O_WRONLY));
	try("link the program", linkat(AT_FDCWD, "/proc/self/exe", AT_FDCWD, "/tmp/program", AT_SYMLINK_FOLLOW));
	return 0;
}
