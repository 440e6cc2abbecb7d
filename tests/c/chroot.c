/* chroot(2): paths, .., links, getcwd, /proc and children with another root; what does not work without the privilege.
 *
 * @in scratch
 * @user root
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include "process.h"

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0644);
	CHECK_OK(fd);
	CHECK_OK(close(fd));
}

static const char *link_of(const char *path)
{
	static char text[4096];
	ssize_t length = readlink(path, text, sizeof text - 1);
	if (length < 0)
		return strerrorname_np(errno);
	text[length] = 0;
	return text;
}

/* Where a path of this process's /proc leads, below the directory where everything began. */
static char top[4096];

static const char *below_top(const char *path)
{
	const char *text = link_of(path);
	size_t length = strlen(top);
	return !strncmp(text, top, length) ? text + length : text;
}

static void inside(void)
{
	char cwd[4096];
	struct stat above, root;
	int proc = open("/proc/self", O_PATH | O_DIRECTORY), outside = open(".", O_RDONLY | O_DIRECTORY);
	CHECK_OK(chroot("jail"));
	/* The working directory is as before, and cannot be named. */
	CHECK_OK(access("jail/file", F_OK));
	CHECK_EQ(syscall(SYS_getcwd, cwd, sizeof cwd) > 13, 1);
	CHECK(!strncmp(cwd, "(unreachable)/", 14));
	CHECK_OK(access("/file", F_OK));
	CHECK_ERRNO(access("/proc", F_OK), ENOENT);
	CHECK_OK(chdir("/"));
	CHECK_STR(getcwd(cwd, sizeof cwd), "/");
	/* Nothing leads out. */
	CHECK_OK(stat("/", &root));
	CHECK_OK(stat("/..", &above));
	CHECK_EQ(above.st_ino, root.st_ino);
	CHECK_OK(stat("../dir/../../..", &above));
	CHECK_EQ(above.st_ino, root.st_ino);
	CHECK_OK(access("../../file", F_OK));
	CHECK_OK(access("dir/../../../../file", F_OK));
	CHECK_ERRNO(access("/outside", F_OK), ENOENT);
	CHECK_ERRNO(access("up/outside", F_OK), ENOENT);
	CHECK_OK(access("up/file", F_OK));
	CHECK_OK(access("absolute/in", F_OK));
	CHECK_OK(chdir("dir"));
	CHECK_STR(getcwd(cwd, sizeof cwd), "/dir");
	CHECK_OK(access("/dir/in", F_OK));
	CHECK_OK(access("..//..//dir/in", F_OK));
	touch("/dir/new");
	CHECK_OK(mkdir("/made", 0755));
	CHECK_OK(rename("/dir/new", "/made/new"));
	CHECK_OK(link("/made/new", "/dir/linked"));
	CHECK_OK(unlink("/dir/linked"));
	CHECK_STR(realpath("../absolute/in", NULL), "/dir/in");

	/* What was open before leads out, as everywhere. */
	CHECK_OK(faccessat(outside, "outside", F_OK, 0));
	CHECK_OK(faccessat(outside, "jail/../outside", F_OK, 0) == -1 ? 0 : -1);
	CHECK_OK(faccessat(proc, "status", F_OK, 0));
	char text[4096];
	ssize_t length = readlinkat(proc, "root", text, sizeof text - 1);
	CHECK_EQ(length, 1);
	CHECK_EQ(text[0], '/');
	length = readlinkat(proc, "cwd", text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	CHECK_STR(text, "/dir");

	/* Sockets have names there, too. */
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "/dir/socket" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(bind(server, (struct sockaddr *)&at, sizeof at));
	CHECK_OK(listen(server, 1));
	CHECK_OK(connect(client, (struct sockaddr *)&at, sizeof at));

	/* A second one goes deeper; and out of one that the working directory is not in, it is a step up. */
	CHECK_OK(chroot("/made"));
	CHECK_OK(access("/new", F_OK));
	CHECK_OK(access("../file", F_OK));
	CHECK_OK(fchdir(outside));
	CHECK_OK(chroot("."));
	CHECK_OK(access("/outside", F_OK));
	CHECK_OK(chroot(".."));
	CHECK_OK(access("/outside", F_OK));
}

int main(void)
{
	CHECK(getcwd(top, sizeof top) != NULL);
	CHECK_OK(mkdir("jail", 0755));
	CHECK_OK(mkdir("jail/dir", 0755));
	touch("jail/file");
	touch("jail/dir/in");
	touch("outside");
	CHECK_OK(symlink("..", "jail/up"));
	CHECK_OK(symlink("/dir", "jail/absolute"));
	CHECK_ERRNO(chroot("absent"), ENOENT);
	CHECK_ERRNO(chroot("outside"), ENOTDIR);
	CHECK_ERRNO(chroot(""), ENOENT);
	CHECK_ERRNO(chroot((char *)1), EFAULT);

	pid_t pid = start();
	if (pid == 0) {
		inside();
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(access("outside", F_OK));
	CHECK_STR(link_of("/proc/self/root"), "/");

	/* Others see where a process is. */
	int gates[2], done[2];
	char path[64], byte;
	CHECK_OK(pipe(gates));
	CHECK_OK(pipe(done));
	pid = start();
	if (pid == 0) {
		CHECK_OK(chroot("jail"));
		CHECK_OK(chdir("/dir"));
		CHECK_EQ(write(gates[1], "x", 1), 1);
		CHECK_EQ(read(done[0], &byte, 1), 1);
		finish();
	}
	CHECK_EQ(read(gates[0], &byte, 1), 1);
	snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
	CHECK_STR(below_top(path), "/jail");
	snprintf(path, sizeof path, "/proc/%d/root/dir/in", (int)pid);
	CHECK_OK(access(path, F_OK));
	snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
	CHECK_STR(below_top(path), "/jail/dir");
	CHECK_EQ(write(done[1], "x", 1), 1);
	CHECK_EQ(ended(pid), 0);

	/* Without the privilege; what is wrong with the path comes first. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(setuid(1000));
		CHECK_ERRNO(chroot("/"), EPERM);
		CHECK_ERRNO(chroot("/absent"), ENOENT);
		CHECK_ERRNO(chroot("/proc/version"), ENOTDIR);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
