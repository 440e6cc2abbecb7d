/* What landlock(7) says of opening, truncating, making and removing files.
 *
 * @in scratch
 * @host landlock
 */
#include <sys/socket.h>
#include <sys/un.h>
#include "landlock.h"

static void reading(void)
{
	int before = open("out/file", O_RDWR), old = open("out", O_RDONLY | O_DIRECTORY), path = open("out/file", O_PATH);
	int fd = create(READ_FILE | READ_DIR | WRITE_FILE, 0), ends[2];
	char name[64], text[8];
	CHECK_OK(allow(fd, "in", READ_FILE | READ_DIR));
	CHECK_OK(allow(fd, "one", WRITE_FILE));
	restrict_by(fd);
	CHECK_EQ(opens("in/file", O_RDONLY), 0);
	CHECK_EQ(opens("in/deep/file", O_RDONLY), 0);
	CHECK_EQ(opens("in/file", O_WRONLY), EACCES);
	CHECK_EQ(opens("in/file", O_RDWR), EACCES);
	CHECK_EQ(opens("in", O_RDONLY | O_DIRECTORY), 0);
	CHECK_EQ(opens("in/../in/./deep", O_RDONLY), 0);
	CHECK_EQ(opens(".", O_RDONLY), EACCES);
	CHECK_EQ(opens("in/..", O_RDONLY), EACCES);
	CHECK_EQ(opens("out", O_RDONLY), EACCES);
	CHECK_EQ(opens("out/file", O_RDONLY), EACCES);
	CHECK_EQ(opens("out/missing", O_RDONLY), ENOENT);
	CHECK_EQ(opens("out/file", O_PATH), 0);
	CHECK_EQ(opens("one", O_WRONLY), 0);
	CHECK_EQ(opens("one", O_RDONLY), EACCES);
	/* A link says nothing; what it leads to does. */
	CHECK_EQ(opens("out/to_in", O_RDONLY), 0);
	CHECK_EQ(opens("in/to_out", O_RDONLY), EACCES);
	/* What was open stays open, and cannot be opened anew. */
	CHECK_EQ(pread(before, text, 4, 0), 4);
	CHECK_EQ(pwrite(before, "text", 4, 0), 4);
	CHECK_EQ(openat(old, "file", O_RDONLY), -1);
	CHECK_EQ(errno, EACCES);
	snprintf(name, sizeof name, "/proc/self/fd/%d", before);
	CHECK_EQ(opens(name, O_RDONLY), EACCES);
	snprintf(name, sizeof name, "/proc/self/fd/%d", path);
	CHECK_EQ(opens(name, O_RDONLY), EACCES);
	/* Pipes have no place in the file system. */
	CHECK_OK(pipe(ends));
	snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
	CHECK_EQ(opens(name, O_RDONLY | O_NONBLOCK), 0);
	/* Not asked about. */
	struct stat stat_buffer;
	CHECK_OK(stat("out/file", &stat_buffer));
	CHECK_OK(chmod("out/file", 0700));
	CHECK_OK(access("out/file", R_OK));
	CHECK_OK(chdir("out"));
	CHECK_EQ(opens("file", O_RDONLY), EACCES);
	CHECK_EQ(opens("../in/file", O_RDONLY), 0);
	CHECK_EQ(opens("/dev/null", O_RDWR), EACCES);
}

/* A rule is for the file, whatever its name is. */
static void renamed(void)
{
	int fd = create(READ_FILE, 0);
	CHECK_OK(allow(fd, "in", READ_FILE));
	CHECK_OK(allow(fd, "/dev/null", READ_FILE));
	CHECK_OK(allow(fd, "/proc", READ_FILE));
	restrict_by(fd);
	CHECK_OK(rename("in", "moved"));
	CHECK_OK(mkdir("in", 0755));
	make_file("in/other");
	CHECK_EQ(opens("moved/file", O_RDONLY), 0);
	CHECK_EQ(opens("in/other", O_RDONLY), EACCES);
	CHECK_OK(unlink("in/other"));
	CHECK_OK(rmdir("in"));
	CHECK_OK(rename("moved", "in"));
	CHECK_EQ(opens("in/file", O_RDONLY), 0);
	CHECK_EQ(opens("/dev/null", O_RDWR), 0);
	CHECK_EQ(opens("/dev/zero", O_RDONLY), EACCES);
	CHECK_EQ(opens("/proc/self/status", O_RDONLY), 0);
}

static void truncating(void)
{
	int fd = create(TRUNCATE | WRITE_FILE, 0);
	CHECK_OK(allow(fd, "in", WRITE_FILE));
	CHECK_OK(allow(fd, "in/deep", TRUNCATE));
	CHECK_OK(allow(fd, "one", TRUNCATE));
	int before = open("in/file", O_RDWR);
	restrict_by(fd);
	CHECK_OK(ftruncate(before, 5));
	CHECK_EQ(opens("in/file", O_WRONLY), 0);
	CHECK_EQ(opens("in/file", O_WRONLY | O_TRUNC), EACCES);
	CHECK_EQ(opens("in/file", O_RDONLY | O_TRUNC), EACCES);
	CHECK_ERRNO(truncate("in/file", 3), EACCES);
	fd = open("in/file", O_WRONLY);
	CHECK_ERRNO(ftruncate(fd, 3), EACCES);
	CHECK_OK(close(fd));
	fd = open("in/deep/file", O_WRONLY | O_TRUNC);
	CHECK_OK(fd);
	CHECK_OK(ftruncate(fd, 5));
	CHECK_OK(close(fd));
	CHECK_OK(truncate("in/deep/file", 3));
	/* This needs no right to write. */
	CHECK_OK(truncate("one", 3));
	CHECK_EQ(opens("one", O_WRONLY), EACCES);
	/* A new file is not truncated. */
	CHECK_EQ(opens("in/new", O_WRONLY | O_CREAT | O_TRUNC), 0);
	CHECK_EQ(opens("in/new", O_WRONLY | O_CREAT | O_TRUNC), EACCES);
	CHECK_OK(unlink("in/new"));
}

static void making(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "out/socket" };
	int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int fd = create(MAKE_REG | MAKE_DIR | MAKE_SYM | MAKE_FIFO | MAKE_SOCK | REMOVE_FILE | REMOVE_DIR | WRITE_FILE, 0);
	CHECK_OK(allow(fd, "in", MAKE_REG | MAKE_DIR | MAKE_SYM | MAKE_FIFO | MAKE_SOCK | REMOVE_FILE | REMOVE_DIR));
	CHECK_OK(allow(fd, "in/deep", WRITE_FILE));
	restrict_by(fd);
	CHECK_ERRNO(mkdir("out/new", 0755), EACCES);
	CHECK_ERRNO(mkdir("out/file", 0755), EEXIST);
	CHECK_ERRNO(mkdir("out/file/new", 0755), ENOTDIR);
	CHECK_ERRNO(mkfifo("out/new", 0644), EACCES);
	CHECK_ERRNO(mknod("out/new", S_IFREG | 0644, 0), EACCES);
	CHECK_ERRNO(symlink("x", "out/new"), EACCES);
	CHECK_ERRNO(bind(socket_fd, (void *)&address, sizeof address), EACCES);
	CHECK_EQ(opens("out/new", O_WRONLY | O_CREAT), EACCES);
	CHECK_EQ(opens("out/file", O_RDONLY | O_CREAT), 0);
	CHECK_EQ(opens("out/file", O_RDONLY | O_CREAT | O_EXCL), EEXIST);
	CHECK_ERRNO(unlink("out/file"), EACCES);
	CHECK_ERRNO(unlink("out/missing"), ENOENT);
	CHECK_ERRNO(rmdir("out/empty"), EACCES);
	CHECK_ERRNO(rmdir("out/missing"), ENOENT);
	CHECK_OK(mkdir("in/new", 0755));
	CHECK_OK(rmdir("in/new"));
	CHECK_OK(mkfifo("in/new", 0644));
	CHECK_OK(unlink("in/new"));
	CHECK_OK(symlink("x", "in/new"));
	CHECK_OK(unlink("in/new"));
	strcpy(address.sun_path, "in/new");
	CHECK_OK(bind(socket_fd, (void *)&address, sizeof address));
	CHECK_OK(unlink("in/new"));
	/* It is made, and may not be written. */
	CHECK_EQ(opens("in/new", O_WRONLY | O_CREAT), EACCES);
	CHECK_OK(access("in/new", F_OK));
	CHECK_OK(unlink("in/new"));
	CHECK_EQ(opens("in/deep/new", O_WRONLY | O_CREAT), 0);
	CHECK_OK(unlink("in/deep/new"));
	CHECK_EQ(opens("in/new", O_RDONLY | O_CREAT), 0);
	CHECK_OK(unlink("in/new"));
}

static void executing(void)
{
	int fd = create(EXECUTE, 0);
	CHECK_OK(allow(fd, "in", EXECUTE));
	restrict_by(fd);
	char *argv[] = { "file", NULL };
	CHECK_ERRNO(execv("out/file", argv), EACCES);
	/* No program, but allowed. */
	CHECK_ERRNO(execv("in/file", argv), ENOEXEC);
}

int main(void)
{
	umask(022);
	CHECK_OK(mkdir("in", 0755));
	CHECK_OK(mkdir("in/deep", 0755));
	CHECK_OK(mkdir("out", 0755));
	CHECK_OK(mkdir("out/empty", 0755));
	make_file("in/file");
	make_file("in/deep/file");
	make_file("out/file");
	make_file("one");
	CHECK_OK(symlink("../in/file", "out/to_in"));
	CHECK_OK(symlink("../out/file", "in/to_out"));
	in_child(reading);
	in_child(renamed);
	in_child(truncating);
	in_child(making);
	in_child(executing);
	return check_done();
}
