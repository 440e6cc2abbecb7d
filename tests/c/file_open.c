/* open and openat: flags, modes and the errors of path resolution.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static int size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (int)st.st_size : -1;
}

int main(void)
{
	char buffer[32], path[PATH_MAX + 10];
	int fd, dir;

	CHECK_ERRNO(open("file", O_RDONLY), ENOENT);
	CHECK_OK(fd = open("file", O_WRONLY | O_CREAT | O_EXCL, 0600));
	CHECK_EQ(write(fd, "0123456789", 10), 10);
	CHECK_ERRNO(read(fd, buffer, 1), EBADF);
	CHECK_OK(close(fd));
	CHECK_ERRNO(open("file", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_OK(fd = open("file", O_RDONLY | O_CREAT, 0600));
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NOFOLLOW | O_DIRECTORY | O_PATH), O_RDONLY);
	int careful = open("file", O_RDONLY | O_NOFOLLOW);
	CHECK_EQ(fcntl(careful, F_GETFL) & (O_ACCMODE | O_NOFOLLOW), O_RDONLY | O_NOFOLLOW);
	CHECK_OK(close(careful));
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
	CHECK_EQ(read(fd, buffer, sizeof buffer), 10);
	CHECK_EQ(read(fd, buffer, sizeof buffer), 0);
	CHECK_OK(close(fd));

	CHECK_OK(fd = open("file", O_RDWR | O_APPEND));
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(fd, "ab", 2), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 12);
	CHECK_EQ(pwrite(fd, "cd", 2, 0), 2);
	CHECK_EQ(size_of("file"), 14);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_APPEND);
	CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_NONBLOCK);
	CHECK_EQ(pwrite(fd, "XY", 2, 0), 2);
	CHECK_EQ(size_of("file"), 14);
	CHECK_OK(close(fd));

	CHECK_OK(fd = open("file", O_WRONLY | O_TRUNC));
	CHECK_EQ(size_of("file"), 0);
	CHECK_OK(close(fd));
	CHECK_OK(fd = creat("file", 0644));
	CHECK_OK(close(fd));

	CHECK_OK(mkdir("dir", 0755));
	for (int asked = 0; asked <= O_DIRECTORY; asked += O_DIRECTORY) {
		CHECK_OK(fd = open("dir", O_RDONLY | O_NOCTTY | asked));
		CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_DIRECTORY | O_NOCTTY | O_NOFOLLOW), asked);
		CHECK_OK(close(fd));
	}
	CHECK_ERRNO(open("dir", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("dir", O_RDWR), EISDIR);
	CHECK_ERRNO(open("dir", O_RDONLY | O_CREAT, 0644), EISDIR);
	CHECK_ERRNO(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("file/", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("file/x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("dir/none/x", O_RDONLY | O_CREAT, 0644), ENOENT);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	CHECK_OK(dir = open("dir", O_RDONLY | O_DIRECTORY));
	CHECK_ERRNO(read(dir, buffer, 1), EISDIR);
	CHECK_OK(fd = openat(dir, "inner", O_RDWR | O_CREAT, 0644));
	CHECK_OK(close(fd));
	CHECK_OK(access("dir/inner", F_OK));
	CHECK_OK(fd = openat(dir, "../file", O_RDONLY));
	CHECK_OK(close(fd));
	CHECK_ERRNO(openat(77, "x", O_RDONLY), EBADF);
	CHECK_OK(fd = open("file", O_RDONLY));
	CHECK_ERRNO(openat(fd, "x", O_RDONLY), ENOTDIR);
	CHECK_OK(close(fd));
	CHECK_OK(close(dir));

	CHECK_OK(symlink("file", "link"));
	CHECK_OK(symlink("loop2", "loop1"));
	CHECK_OK(symlink("loop1", "loop2"));
	CHECK_OK(symlink("made", "dangling"));
	CHECK_OK(fd = open("link", O_RDONLY));
	CHECK_OK(close(fd));
	CHECK_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERRNO(open("loop1", O_RDONLY), ELOOP);
	CHECK_ERRNO(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_OK(fd = open("dangling", O_WRONLY | O_CREAT, 0644));
	CHECK_OK(close(fd));
	CHECK_OK(access("made", F_OK));
	CHECK_OK(fd = open("link", O_PATH | O_NOFOLLOW));
	struct stat st;
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISLNK(st.st_mode));
	CHECK_ERRNO(read(fd, buffer, 1), EBADF);
	CHECK_OK(close(fd));

	memset(path, 'n', NAME_MAX + 1);
	path[NAME_MAX + 1] = 0;
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	for (int i = 0; i < PATH_MAX; i += 2)
		memcpy(path + i, "./", 2);
	path[PATH_MAX] = 0;
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	path[PATH_MAX - 2] = 0;
	CHECK_OK(fd = open(path, O_RDONLY));
	CHECK_OK(close(fd));
	CHECK_OK(fd = open("././/dir//../file", O_RDONLY));
	CHECK_OK(close(fd));
	CHECK_OK(fd = open(".", O_TMPFILE | O_RDWR, 0600));
	CHECK_EQ(write(fd, "tmp", 3), 3);
	CHECK_OK(close(fd));
	return check_done();
}
