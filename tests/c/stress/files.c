/* Stress of files: each worker in a directory of its own, some together in one file.
 * @in scratch
 */
#include <dirent.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include "stress.h"

#define SIZE 100000

static char block[SIZE], got[SIZE];

/* Goes to a new directory of the worker's own. */
static void own_directory(const char *name, int worker)
{
	char path[64];
	snprintf(path, sizeof path, "%s%d", name, worker);
	CHECK_OK(mkdir(path, 0700));
	CHECK_OK(chdir(path));
}

static void opens(int worker)
{
	own_directory("opens", worker);
	for (int i = 0; i < 300; i++) {
		int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0600);
		CHECK_OK(fd);
		CHECK_ERRNO(open("f", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
		CHECK_OK(close(fd));
		CHECK_ERRNO(close(fd), EBADF);
		CHECK_OK(unlink("f"));
	}
}

static void writes(int worker)
{
	own_directory("writes", worker);
	for (int i = 0; i < 20; i++) {
		int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
		fill(block, SIZE, i + worker);
		CHECK_OK(write_all(fd, block, SIZE));
		CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
		CHECK_OK(read_all(fd, got, SIZE));
		CHECK(is_filled(got, SIZE, i + worker));
		CHECK_EQ(read(fd, got, 1), 0);
		CHECK_OK(close(fd));
	}
}

static void places(int worker)
{
	uint32_t state = worker;
	own_directory("places", worker);
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	CHECK_OK(ftruncate(fd, SIZE));
	memset(block, 0, SIZE);
	for (int i = 0; i < 1000; i++) {
		size_t at = next_number(&state) % (SIZE - 1000), n = next_number(&state) % 1000;
		fill(block + at, n, i);
		CHECK_EQ(pwrite(fd, block + at, n, at), n);
		at = next_number(&state) % (SIZE - 1000);
		CHECK_EQ(pread(fd, got, 1000, at), 1000);
		CHECK(memcmp(got, block + at, 1000) == 0);
	}
	close(fd);
}

static void vectors(int worker)
{
	own_directory("vectors", worker);
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 100; i++) {
		struct iovec out[8], in[8];
		for (int k = 0; k < 8; k++) {
			out[k] = (struct iovec){ block + k * 1000, 100 * (k + 1) };
			in[7 - k] = (struct iovec){ got + k * 1000, 100 * (k + 1) };
			fill(block + k * 1000, 100 * (k + 1), i + k);
		}
		CHECK_EQ(pwritev(fd, out, 8, i), 3600);
		CHECK_EQ(preadv(fd, in, 8, i), 3600);
		CHECK(memcmp(in[0].iov_base, block, 100) == 0);
		CHECK_EQ(pread(fd, got, 800, i + 2800), 800);
		CHECK(is_filled(got, 800, i + 7));
	}
	close(fd);
}

static void appends(int worker)
{
	/* All workers append records to one file: none is torn or lost. */
	char record[64];
	int fd = open("appended", O_WRONLY | O_CREAT | O_APPEND, 0600);
	for (int i = 0; i < 200; i++) {
		memset(record, 'a' + worker, sizeof record);
		CHECK_EQ(write(fd, record, sizeof record), sizeof record);
	}
	close(fd);
	fd = open("appended", O_RDONLY);
	int own = 0;
	while (read(fd, record, sizeof record) == sizeof record) {
		for (size_t k = 1; k < sizeof record; k++)
			CHECK_EQ(record[k], record[0]);
		own += record[0] == 'a' + worker;
	}
	CHECK_EQ(own, 200);
	close(fd);
}

static void truncates(int worker)
{
	struct stat is;
	own_directory("truncates", worker);
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 100; i++) {
		fill(block, SIZE, i);
		CHECK_EQ(pwrite(fd, block, 5000, 0), 5000);
		CHECK_OK(ftruncate(fd, 1000 + i));
		CHECK_OK(ftruncate(fd, 5000));
		CHECK_EQ(pread(fd, got, 5000, 0), 5000);
		CHECK(is_filled(got, 1000 + i, i));
		for (int k = 1000 + i; k < 5000; k += 97)
			CHECK_EQ(got[k], 0);
		CHECK_OK(truncate("f", i));
		CHECK_OK(fstat(fd, &is));
		CHECK_EQ(is.st_size, i);
	}
	close(fd);
}

static void links(int worker)
{
	struct stat is;
	char name[32], text[64];
	own_directory("links", worker);
	close(open("f", O_RDWR | O_CREAT, 0600));
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "l%d", i);
		CHECK_OK(link("f", name));
		snprintf(name, sizeof name, "s%d", i);
		CHECK_OK(symlink(i ? text : "f", name));
		CHECK_EQ(readlink(name, got, sizeof got), i ? (ssize_t)strlen(text) : 1);
		snprintf(text, sizeof text, "s%d", i);
	}
	CHECK_OK(stat("f", &is));
	CHECK_EQ(is.st_nlink, 101);
	CHECK_OK(stat("s30", &is));
	CHECK_ERRNO(stat("s99", &is), ELOOP);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "l%d", i);
		CHECK_OK(unlink(name));
	}
	CHECK_OK(stat("f", &is));
	CHECK_EQ(is.st_nlink, 1);
}

static void renames(int worker)
{

	struct stat is;
	own_directory("renames", worker);
	for (int i = 0; i < 300; i++) {
		int fd = open("new", O_WRONLY | O_CREAT, 0600);
		CHECK_EQ(write(fd, &i, sizeof i), sizeof i);
		close(fd);
		CHECK_OK(rename("new", "old"));
		CHECK_ERRNO(stat("new", &is), ENOENT);
		int now = -1;
		fd = open("old", O_RDONLY);
		CHECK_EQ(read(fd, &now, sizeof now), sizeof now);
		CHECK_EQ(now, i);
		close(fd);
	}
	for (int i = 0; i < 100; i++) {
		CHECK_OK(mkdir("d", 0700));
		CHECK_OK(mkdir("d/e", 0700));
		CHECK_ERRNO(rename("d", "d/e/f"), EINVAL);
		CHECK_OK(rename("d/e", "e"));
		CHECK_OK(rmdir("d"));
		CHECK_OK(rmdir("e"));
	}
}

static void directories(int worker)
{
	char name[32];
	own_directory("directories", worker);
	for (int round = 0; round < 3; round++) {
		int seen = 0;
		for (int i = 0; i < 200; i++) {
			snprintf(name, sizeof name, "name-%d", i);
			CHECK_OK(i % 2 ? mkdir(name, 0700) : mknod(name, S_IFREG | 0600, 0));
		}
		DIR *dir = opendir(".");
		for (struct dirent *entry; (entry = readdir(dir));) {
			int i;
			if (sscanf(entry->d_name, "name-%d", &i) != 1)
				continue;
			seen++;
			CHECK_EQ(entry->d_type, i % 2 ? DT_DIR : DT_REG);
			CHECK_OK(unlinkat(dirfd(dir), entry->d_name, i % 2 ? AT_REMOVEDIR : 0));
		}
		closedir(dir);
		CHECK_EQ(seen, 200);
	}
}

static void deep(int worker)
{
	own_directory("deep", worker);
	for (int i = 0; i < 60; i++) {
		CHECK_OK(mkdir("down", 0700));
		CHECK_OK(chdir("down"));
	}
	CHECK(getcwd(got, sizeof got) != NULL);
	CHECK(strlen(got) > 300);
	for (int i = 0; i < 60; i++) {
		CHECK_OK(chdir(".."));
		CHECK_OK(rmdir("down"));
	}
}

static void unlinked(int worker)
{
	own_directory("unlinked", worker);
	for (int i = 0; i < 100; i++) {
		struct stat is;
		int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0600);
		CHECK_OK(unlink("f"));
		fill(block, 5000, i);
		CHECK_EQ(pwrite(fd, block, 5000, 0), 5000);
		CHECK_OK(fstat(fd, &is));
		CHECK_EQ(is.st_nlink, 0);
		CHECK_EQ(pread(fd, got, 5000, 0), 5000);
		CHECK(is_filled(got, 5000, i));
		close(fd);
		fd = open(".", O_TMPFILE | O_RDWR, 0600);
		CHECK_OK(fd);
		CHECK_EQ(write(fd, block, 100), 100);
		close(fd);
	}
}

static void modes(int worker)
{
	struct stat is;
	own_directory("modes", worker);
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	for (int mode = 0; mode < 01000; mode++) {
		CHECK_OK(mode % 2 ? chmod("f", mode) : fchmod(fd, mode));
		CHECK_OK(fstat(fd, &is));
		CHECK_EQ(is.st_mode & 07777, mode);
	}
	for (int mask = 0; mask < 0100; mask++) {
		umask(mask << 3);
		int made = open("g", O_RDWR | O_CREAT | O_EXCL, 0777);
		CHECK_OK(fstat(made, &is));
		CHECK_EQ(is.st_mode & 0777, 0777 & ~(mask << 3));
		close(made);
		unlink("g");
	}
	close(fd);
}

static void times_of_files(int worker)
{
	struct stat is;
	own_directory("times", worker);
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 300; i++) {
		struct timespec times[2] = { { 1000000 + i, i * 1000 }, { 2000000 + i, 999999000 - i } };
		CHECK_OK(i % 2 ? futimens(fd, times) : utimensat(AT_FDCWD, "f", times, 0));
		CHECK_OK(fstat(fd, &is));
		CHECK_EQ(is.st_atim.tv_sec, 1000000 + i);
		CHECK_EQ(is.st_mtim.tv_sec, 2000000 + i);
		CHECK_EQ(is.st_mtim.tv_nsec, 999999000 - i);
	}
	close(fd);
}

static void record_locks(int worker)
{
	/* Counts in one file under a lock of its bytes. */
	int fd = open("counted", O_RDWR | O_CREAT, 0600), count, kind = 0;
	(void)worker;
	for (int i = 0; i < 100; i++) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 4 };
		CHECK_OK(fcntl(fd, kind ? F_OFD_SETLKW : F_SETLKW, &lock));
		count = 0;
		CHECK(pread(fd, &count, sizeof count, 0) >= 0);
		count++;
		sched_yield();
		CHECK_EQ(pwrite(fd, &count, sizeof count, 0), sizeof count);
		lock.l_type = F_UNLCK;
		CHECK_OK(fcntl(fd, kind ? F_OFD_SETLKW : F_SETLKW, &lock));
		kind = !kind;
	}
	CHECK(count >= 100 && count <= 300);
	close(fd);
}

static void whole_locks(int worker)
{
	(void)worker;
	int fd = open("flocked", O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 100; i++) {
		int before = 0, after = 0;
		CHECK_OK(flock(fd, LOCK_EX));
		CHECK(pread(fd, &before, sizeof before, 0) >= 0);
		before++;
		CHECK_EQ(pwrite(fd, &before, sizeof before, 0), sizeof before);
		sched_yield();
		CHECK_EQ(pread(fd, &after, sizeof after, 0), sizeof after);
		CHECK_EQ(before, after);
		CHECK_OK(flock(fd, LOCK_UN));
	}
	close(fd);
}

static void sparse(int worker)
{
	own_directory("sparse", worker);
	for (int i = 0; i < 20; i++) {
		int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
		off_t far = (off_t)(i + 1) << 20;
		CHECK_EQ(pwrite(fd, "x", 1, far), 1);
		CHECK_EQ(lseek(fd, 0, SEEK_END), far + 1);
		CHECK_EQ(pread(fd, got, 1000, far / 2), 1000);
		for (int k = 0; k < 1000; k++)
			CHECK_EQ(got[k], 0);
		CHECK_ERRNO(lseek(fd, far + 2, SEEK_DATA), ENXIO);
		CHECK_OK(posix_fallocate(fd, 0, 10000));
		CHECK_EQ(lseek(fd, 0, SEEK_END), far + 1);
		close(fd);
	}
}

static void copies(int worker)
{
	own_directory("copies", worker);
	int from = open("from", O_RDWR | O_CREAT, 0600), to = open("to", O_RDWR | O_CREAT, 0600);
	fill(block, SIZE, worker);
	CHECK_OK(write_all(from, block, SIZE));
	for (int i = 0; i < 40; i++) {
		loff_t in = 100 * i, out = 0;
		CHECK_OK(ftruncate(to, 0));
		CHECK_EQ(copy_file_range(from, &in, to, &out, 5000, 0), 5000);
		CHECK_EQ(pread(to, got, 5000, 0), 5000);
		CHECK(memcmp(got, block + 100 * i, 5000) == 0);
		off_t at = 10 * i;
		CHECK_EQ(lseek(to, 0, SEEK_SET), 0);
		CHECK_EQ(sendfile(to, from, &at, 3000), 3000);
		CHECK_EQ(pread(to, got, 3000, 0), 3000);
		CHECK(memcmp(got, block + 10 * i, 3000) == 0);
	}
	close(from), close(to);
}

static void attributes(int worker)
{
	char name[32], value[64];
	own_directory("attributes", worker);
	int fd = open("f", O_RDWR | O_CREAT, 0600);
	if (fsetxattr(fd, "user.probe", "x", 1, 0) < 0 && errno == EOPNOTSUPP)
		return;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "user.name%d", i);
		CHECK_OK(fsetxattr(fd, name, name, strlen(name), XATTR_CREATE));
		CHECK_ERRNO(setxattr("f", name, "x", 1, XATTR_CREATE), EEXIST);
		CHECK_EQ(getxattr("f", name, value, sizeof value), strlen(name));
		CHECK(memcmp(name, value, strlen(name)) == 0);
		CHECK_OK(removexattr("f", name));
		CHECK_ERRNO(fgetxattr(fd, name, value, sizeof value), ENODATA);
	}
	close(fd);
}

static void watches(int worker)
{
	char buffer[4096] __attribute__((aligned(8)));
	own_directory("watches", worker);
	int notify = inotify_init1(IN_NONBLOCK);
	int watch = inotify_add_watch(notify, ".", IN_CREATE | IN_DELETE);
	CHECK_OK(watch);
	for (int i = 0; i < 100; i++) {
		close(open("f", O_RDWR | O_CREAT, 0600));
		unlink("f");
		ssize_t n = read(notify, buffer, sizeof buffer);
		const struct inotify_event *event = (const void *)buffer;
		CHECK(n > 0);
		CHECK_EQ(event->mask, IN_CREATE);
		CHECK_EQ(event->wd, watch);
		CHECK_STR(event->name, "f");
		event = (const void *)(buffer + sizeof *event + event->len);
		CHECK_EQ(event->mask, IN_DELETE);
	}
	close(notify);
}

static void duplicates(int worker)
{
	int fd = open("/dev/null", O_RDWR);
	(void)worker;
	for (int i = 0; i < 500; i++) {
		int copy = dup(fd), third = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		CHECK(copy > fd && third >= 100);
		CHECK_EQ(fcntl(third, F_GETFD), FD_CLOEXEC);
		CHECK_EQ(dup2(copy, third), third);
		CHECK_EQ(fcntl(third, F_GETFD), 0);
		CHECK_OK(close(copy));
		CHECK_OK(close(third));
	}
	close(fd);
}

static void all_descriptors(int worker)
{
	struct rlimit limit = { 200, 200 };
	int last = -1, fd;
	(void)worker;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	for (int round = 0; round < 5; round++) {
		int opened = 0;
		while ((fd = open("/dev/zero", O_RDONLY)) >= 0)
			last = fd, opened++;
		CHECK_EQ(errno, EMFILE);
		CHECK_EQ(last, 199);
		CHECK_OK(close_range(last - opened + 1, last, 0));
	}
}

static void syncs(int worker)
{
	own_directory("syncs", worker);
	int fd = open("f", O_RDWR | O_CREAT | O_DSYNC, 0600);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(write(fd, "text", 4), 4);
		CHECK_OK(fsync(fd));
		CHECK_OK(fdatasync(fd));
	}
	close(fd);
}

static const struct stressor stressors[] = {
	{ "opens", opens },	    { "writes", writes },	{ "places", places },
	{ "vectors", vectors },	    { "appends", appends },	{ "truncates", truncates },
	{ "links", links },	    { "renames", renames },	{ "directories", directories },
	{ "deep", deep },	    { "unlinked", unlinked },	{ "modes", modes },
	{ "times", times_of_files }, { "record-locks", record_locks }, { "whole-locks", whole_locks },
	{ "sparse", sparse },	    { "copies", copies },	{ "attributes", attributes },
	{ "watches", watches },	    { "duplicates", duplicates }, { "all-descriptors", all_descriptors },
	{ "syncs", syncs },
};

int main(void)
{
	return STRESS(stressors);
}
