/* What was opened for reading turns out to be a directory, a fifo or a file when it is used; paths of several names, with and
 * without links among them.
 *
 * @in scratch
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include "process.h"

static int reading(const char *path)
{
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	return fd;
}

static void fill(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_OK(close(fd));
}

static char first(int dir, const char *path, int flags)
{
	char byte = 0;
	int fd = openat(dir, path, O_RDONLY | flags);
	if (fd < 0)
		return 0;
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_OK(close(fd));
	return byte;
}

/* Each is asked of a descriptor of its own, so that nothing else has looked at it before. */
static void directory_as_file(void)
{
	char buffer[512];
	struct stat st;
	int fd;

	fd = reading("a");
	CHECK_ERRNO(read(fd, buffer, 1), EISDIR);
	CHECK_ERRNO(pread(fd, buffer, 1, 0), EISDIR);
	CHECK_ERRNO(read(fd, buffer, 0), EISDIR);
	CHECK_OK(close(fd));
	fd = reading("a");
	CHECK_ERRNO(write(fd, buffer, 1), EBADF);
	CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
	CHECK_OK(close(fd));
	fd = reading("a");
	CHECK(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == ENODEV);
	CHECK_OK(close(fd));
	fd = reading("a");
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISDIR(st.st_mode));
	CHECK_OK(fchmod(fd, 0700));
	CHECK_OK(fsync(fd));
	CHECK_OK(close(fd));
	fd = reading("a");
	CHECK_EQ(first(fd, "b/file", 0), 'f');
	CHECK_ERRNO(openat(fd, "none", O_RDONLY), ENOENT);
	CHECK_OK(close(fd));
	fd = reading("a/b");
	CHECK_OK(fchdir(fd));
	CHECK_EQ(first(AT_FDCWD, "file", 0), 'f');
	CHECK_OK(chdir("../.."));
	CHECK_OK(close(fd));
	fd = reading("a");
	struct pollfd entry = { .fd = fd, .events = POLLIN | POLLOUT };
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN | POLLOUT);
	CHECK_OK(flock(fd, LOCK_EX | LOCK_NB));
	CHECK_OK(close(fd));
	fd = reading("a");
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	int copy = dup(fd);
	CHECK_OK(close(fd));
	DIR *stream = fdopendir(copy);
	int names = 0;
	CHECK(stream != NULL);
	while (readdir(stream) != NULL)
		names++;
	CHECK_EQ(names, 3);
	rewinddir(stream);
	CHECK(readdir(stream) != NULL);
	CHECK_OK(closedir(stream));
	fd = reading("a");
	int child = start();
	if (child == 0) {
		CHECK_OK(fchdir(fd));
		CHECK_EQ(first(AT_FDCWD, "b/file", 0), 'f');
		finish();
	}
	CHECK_EQ(ended(child), 0);
	CHECK(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
	CHECK_OK(close(fd));
	fd = reading("a/b/file");
	CHECK_ERRNO(fchdir(fd), ENOTDIR);
	CHECK_ERRNO(openat(fd, "x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(syscall(SYS_getdents64, fd, buffer, sizeof buffer), ENOTDIR);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 4);
	CHECK_OK(close(fd));
	CHECK_ERRNO(open("a", O_RDWR), EISDIR);
	CHECK_ERRNO(open("a", O_RDONLY | O_CREAT, 0600), EISDIR);
	CHECK_OK(fd = open("a", O_RDONLY | O_DIRECTORY));
	CHECK(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
	CHECK_OK(close(fd));
	CHECK_ERRNO(open("a/b/file", O_RDONLY | O_DIRECTORY), ENOTDIR);
}

/* An open directory that is removed or moved stays what it is. */
static void directory_that_goes(void)
{
	struct stat st;
	CHECK_OK(mkdir("gone", 0700));
	CHECK_OK(mkdir("gone/in", 0700));
	fill("gone/in/file", "gone");
	int removed = reading("gone/in"), moved = reading("gone");
	CHECK_OK(rename("gone", "moved"));
	CHECK_EQ(first(moved, "in/file", 0), 'g');
	CHECK_OK(unlink("moved/in/file"));
	CHECK_OK(rmdir("moved/in"));
	CHECK_ERRNO(openat(removed, "file", O_RDONLY), ENOENT);
	CHECK_OK(fstat(removed, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_OK(fchdir(moved));
	CHECK_OK(chdir(".."));
	CHECK_OK(rmdir("moved"));
	CHECK_OK(close(moved));
	CHECK_OK(close(removed));
}

static void paths(void)
{
	char path[PATH_MAX + 2];

	CHECK_EQ(first(AT_FDCWD, "a/b/file", 0), 'f');
	CHECK_EQ(first(AT_FDCWD, "./a//b/./file", 0), 'f');
	CHECK_EQ(first(AT_FDCWD, "a/b/../b/file", 0), 'f');
	CHECK_EQ(first(AT_FDCWD, "a/link/file", 0), 'f');
	CHECK_EQ(first(AT_FDCWD, "a/link/file", O_NOFOLLOW), 'f');
	CHECK_EQ(first(AT_FDCWD, "a/b/end", 0), 'f');
	CHECK_ERRNO(open("a/b/end", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERRNO(open("a/b/lost", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("a/b/round", O_RDONLY), ELOOP);
	CHECK_ERRNO(open("a/none/file", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("a/b/file/x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("a/b/file/", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("a/b/file/.", O_RDONLY), ENOTDIR);
	int fd = reading("a/b/");
	CHECK_OK(close(fd));
	fd = reading("a/b/.");
	CHECK_OK(fchdir(fd));
	CHECK_OK(chdir("../.."));
	CHECK_OK(close(fd));
	memset(path, 'n', sizeof path);
	memcpy(path, "a/b/", 4);
	path[4 + NAME_MAX + 1] = 0;
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	memset(path, '/', sizeof path);
	memcpy(path, "a/b", 3);
	memcpy(path + PATH_MAX - 5, "file", 5);
	CHECK_EQ(first(AT_FDCWD, path, 0), 'f');
	path[PATH_MAX - 5] = '/';
	memcpy(path + PATH_MAX - 4, "file", 5);
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	CHECK_OK(fd = open("a/b/end", O_PATH | O_NOFOLLOW));
	struct stat st;
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISLNK(st.st_mode));
	CHECK_OK(close(fd));
	CHECK_OK(fd = open("a/b/end", O_PATH));
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_OK(close(fd));
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void others(void)
{
	char byte;

	CHECK_OK(mkfifo("a/fifo", 0600));
	struct sigaction action = { .sa_handler = on_alarm };
	CHECK_OK(sigaction(SIGALRM, &action, NULL));
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, never = { 0 };
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
	CHECK_ERRNO(open("a/fifo", O_RDONLY), EINTR);
	CHECK_OK(setitimer(ITIMER_REAL, &never, NULL));
	int child = start();
	if (child == 0) {
		int to = open("a/fifo", O_WRONLY);
		CHECK_EQ(write(to, "w", 1), 1);
		finish();
	}
	int fd = reading("a/fifo");
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(byte, 'w');
	CHECK_ERRNO(lseek(fd, 0, SEEK_CUR), ESPIPE);
	CHECK_ERRNO(fchdir(fd), ENOTDIR);
	CHECK_EQ(ended(child), 0);
	CHECK_EQ(read(fd, &byte, 1), 0);
	CHECK_OK(close(fd));
	CHECK_OK(fd = open("a/fifo", O_RDONLY | O_NONBLOCK));
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_NONBLOCK);
	CHECK_EQ(read(fd, &byte, 1), 0);
	CHECK_OK(close(fd));
	CHECK_OK(unlink("a/fifo"));

	struct sockaddr_un address = { AF_UNIX, "a/socket" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(bind(server, (struct sockaddr *)&address, sizeof address));
	CHECK_ERRNO(open("a/socket", O_RDONLY), ENXIO);
	CHECK_OK(close(server));
	CHECK_OK(unlink("a/socket"));
}

/* A lock ends with any descriptor of its file, however that was opened. */
static void locks(void)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open("a/b/file", O_RDWR);
	for (int turn = 0; turn < 2; turn++) {
		CHECK_OK(fcntl(fd, F_SETLK, &lock));
		if (turn == 1)
			CHECK_OK(close(reading("a/b/file")));
		int child = start();
		if (child == 0) {
			struct flock found = { .l_type = F_WRLCK };
			int other = open("a/b/file", O_RDWR);
			CHECK_OK(fcntl(other, F_GETLK, &found));
			CHECK_EQ(found.l_type, turn == 0 ? F_WRLCK : F_UNLCK);
			finish();
		}
		CHECK_EQ(ended(child), 0);
	}
	CHECK_OK(close(fd));
}

int main(void)
{
	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("a/b", 0755));
	fill("a/b/file", "file");
	directory_as_file();
	CHECK_OK(symlink("b", "a/link"));
	CHECK_OK(symlink("file", "a/b/end"));
	CHECK_OK(symlink("nowhere", "a/b/lost"));
	CHECK_OK(symlink("round", "a/b/round"));
	directory_that_goes();
	paths();
	others();
	locks();
	return check_done();
}
