/* Corners of calls that move bytes: flags of preadv2 and pwritev2, sync_file_range, copy_file_range, sendfile, splice,
 * tee; and of fcntl: pipe sizes, leases, notification.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "check.h"

static int file(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static const char *content(int fd)
{
	static char text[200];
	memset(text, 0, sizeof text);
	CHECK_OK(pread(fd, text, sizeof text - 1, 0));
	return text;
}

static void vectors(void)
{
	int fd = file("vectors", "0123456789");
	char one[4] = "", two[4] = "";
	struct iovec parts[2] = { { one, 3 }, { two, 3 } };
	CHECK_EQ(preadv2(fd, parts, 2, 2, 0), 6);
	CHECK_STR(one, "234");
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(preadv2(fd, parts, 2, -1, 0), 6);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
	CHECK_ERRNO(preadv2(fd, parts, 2, -2, 0), EINVAL);
	CHECK_ERRNO(preadv2(fd, parts, 2, 0, 0x40000000), EOPNOTSUPP);
	CHECK_ERRNO(pwritev2(fd, parts, 2, 0, 0x40000000), EOPNOTSUPP);
	volatile int negative = -1, many = 1025;
	CHECK_ERRNO(preadv2(fd, parts, negative, 0, 0), EINVAL);
	CHECK_ERRNO(preadv2(fd, parts, many, 0, 0), EINVAL);
	CHECK_EQ(preadv2(fd, parts, 0, 0, 0), 0);
	strcpy(one, "abc");
	strcpy(two, "def");
	CHECK_EQ(pwritev2(fd, parts, 2, 1, RWF_DSYNC), 6);
	CHECK_EQ(pwritev2(fd, parts, 1, 8, RWF_SYNC), 3);
	CHECK_STR(content(fd), "0abcdef7abc");
	CHECK_EQ(pwritev2(fd, parts, 1, 0, RWF_APPEND), 3);
	CHECK_STR(content(fd), "0abcdef7abcabc");
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
	int end[2];
	CHECK_OK(pipe(end));
	CHECK_ERRNO(preadv2(end[0], parts, 1, -1, RWF_NOWAIT), EAGAIN);
	CHECK_ERRNO(preadv2(end[0], parts, 1, 0, 0), ESPIPE);
	CHECK_EQ(write(end[1], "xy", 2), 2);
	CHECK_EQ(preadv2(end[0], parts, 1, -1, RWF_NOWAIT), 2);
	CHECK_EQ(pwritev2(end[1], parts, 1, -1, 0), 3);
	close(end[0]);
	close(end[1]);
	close(fd);
}

static void ranges(void)
{
	int fd = file("range", "text"), end[2];
	CHECK_OK(pipe(end));
	CHECK_OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	CHECK_OK(sync_file_range(fd, 0, 4, 7));
	CHECK_ERRNO(sync_file_range(fd, 0, 4, 8), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, -1, 4, 1), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, 0, -1, 1), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, 0x7fffffffffffffff, 1, 1), EINVAL);
	CHECK_ERRNO(sync_file_range(end[0], 0, 0, 1), ESPIPE);
	CHECK_ERRNO(sync_file_range(-1, 0, 0, 1), EBADF);
	close(fd);

	int from = file("from", "abcdefghij"), to = file("to", "0123456789");
	off_t in = 2, out = 8;
	CHECK_EQ(copy_file_range(from, &in, to, &out, 5, 0), 5);
	CHECK(in == 7 && out == 13);
	CHECK_STR(content(to), "01234567cdefg");
	CHECK_EQ(copy_file_range(from, NULL, to, NULL, 3, 0), 3);
	CHECK_EQ(lseek(from, 0, SEEK_CUR), 3);
	CHECK_STR(content(to), "abc34567cdefg");
	CHECK_ERRNO(copy_file_range(from, NULL, to, NULL, 3, 1), EINVAL);
	in = 10;
	CHECK_EQ(copy_file_range(from, &in, to, NULL, 3, 0), 0);
	in = -10;
	CHECK_ERRNO(copy_file_range(from, &in, to, NULL, 3, 0), EINVAL);
	in = 0, out = 3;
	CHECK_ERRNO(copy_file_range(from, &in, from, &out, 5, 0), EINVAL);
	out = 5;
	CHECK_EQ(copy_file_range(from, &in, from, &out, 5, 0), 5);
	CHECK_STR(content(from), "abcdeabcde");
	int reader = open("to", O_RDONLY), directory = open(".", O_RDONLY), appender = open("to", O_WRONLY | O_APPEND);
	CHECK_ERRNO(copy_file_range(from, NULL, reader, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(appender, NULL, to, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(from, NULL, appender, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(directory, NULL, to, NULL, 1, 0), EISDIR);
	CHECK_ERRNO(copy_file_range(end[0], NULL, to, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(copy_file_range(-1, NULL, to, NULL, 1, 0), EBADF);

	CHECK_OK(ftruncate(to, 0));
	lseek(to, 0, SEEK_SET);
	in = 8;
	CHECK_EQ(sendfile(to, from, &in, 100), 2);
	CHECK_EQ(in, 10);
	CHECK_EQ(sendfile(to, from, &in, 100), 0);
	CHECK_STR(content(to), "de");
	CHECK_EQ(sendfile(end[1], to, NULL, 100), 0);
	lseek(to, 0, SEEK_SET);
	CHECK_EQ(sendfile(end[1], to, NULL, 100), 2);
	in = -1;
	CHECK_ERRNO(sendfile(to, from, &in, 1), EINVAL);
	CHECK_ERRNO(sendfile(reader, from, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(appender, from, NULL, 1), EINVAL);
	in = 0;
	CHECK_ERRNO(sendfile(to, end[0], &in, 1), ESPIPE);
	close(reader);
	close(appender);
	close(directory);
	close(from);
	close(to);
	close(end[0]);
	close(end[1]);
}

static void pipes(void)
{
	int a[2], b[2], fd = file("splice", "0123456789");
	char text[20] = "";
	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	loff_t at = 4;
	CHECK_EQ(splice(fd, &at, a[1], NULL, 3, 0), 3);
	CHECK_EQ(at, 7);
	CHECK_EQ(tee(a[0], b[1], 100, 0), 3);
	CHECK_EQ(read(b[0], text, 20), 3);
	CHECK_STR(text, "456");
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 2, 0), 2);
	CHECK_EQ(splice(b[0], NULL, fd, NULL, 2, SPLICE_F_MOVE | SPLICE_F_MORE), 2);
	CHECK_STR(content(fd), "4523456789");
	CHECK_ERRNO(splice(b[0], NULL, fd, NULL, 2, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(tee(b[0], a[1], 2, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(splice(fd, NULL, fd, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(a[0], &at, fd, NULL, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(fd, NULL, a[1], &at, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(a[0], NULL, fd, NULL, 1, 0x80), EINVAL);
	CHECK_ERRNO(tee(a[0], a[1], 1, 0), EINVAL);
	CHECK_ERRNO(tee(fd, a[1], 1, 0), EINVAL);
	CHECK_ERRNO(splice(a[1], NULL, fd, NULL, 1, 0), EBADF);
	CHECK_ERRNO(splice(-1, NULL, fd, NULL, 1, 0), EBADF);
	CHECK_EQ(splice(a[0], NULL, fd, NULL, 0, 0), 0);
	int appender = open("splice", O_WRONLY | O_APPEND);
	CHECK_ERRNO(splice(a[0], NULL, appender, NULL, 1, 0), EINVAL);
	close(appender);
	struct iovec part = { text, 3 };
	/* Filters of containers refuse this one, natively. */
	if (vmsplice(b[1], &part, 0, 0) == 0 || errno != EPERM) {
		CHECK_EQ(vmsplice(b[1], &part, 1, 0), 3);
		CHECK_EQ(vmsplice(b[0], &part, 1, 0), 3);
		CHECK_ERRNO(vmsplice(fd, &part, 1, 0), EBADF);
	}

	CHECK_EQ(fcntl(a[0], F_GETPIPE_SZ), 65536);
	CHECK_EQ(fcntl(a[1], F_SETPIPE_SZ, 5000), 8192);
	CHECK_EQ(fcntl(a[0], F_GETPIPE_SZ), 8192);
	CHECK_EQ(fcntl(a[0], F_SETPIPE_SZ, 1), 4096);
	CHECK_ERRNO(fcntl(fd, F_GETPIPE_SZ), EBADF);
	CHECK_ERRNO(fcntl(fd, F_SETPIPE_SZ, 4096), EBADF);
	CHECK_OK(fcntl(a[1], F_SETPIPE_SZ, 16384));
	char page[4097] = "";
	for (int i = 0; i < 2; i++)
		CHECK_EQ(write(a[1], page, 4097), 4097);
	CHECK_ERRNO(fcntl(a[1], F_SETPIPE_SZ, 4096), EBUSY);
	close(a[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(splice(fd, NULL, a[1], NULL, 1, 0), EPIPE);
	close(a[1]);
	close(b[0]);
	close(b[1]);
	close(fd);
}

static void control(void)
{
	int fd = file("control", "text");
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	CHECK_ERRNO(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
	CHECK_ERRNO(fcntl(fd, F_SETLEASE, 99), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_NOTIFY, DN_ACCESS), ENOTDIR);
	/* No events: nothing is told any more. */
	CHECK_EQ(fcntl(fd, F_NOTIFY, DN_MULTISHOT), 0);
	CHECK_ERRNO(fcntl(fd, 9999), EINVAL);
	CHECK_ERRNO(fcntl(-1, 9999), EBADF);
	CHECK_EQ(fcntl(fd, F_GETOWN), 0);
	CHECK_EQ(fcntl(fd, F_GETSIG), 0);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, 1 << 24), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_GET_SEALS), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EINVAL);
	int memory = memfd_create("seals", MFD_ALLOW_SEALING), plain = memfd_create("plain", 0);
	CHECK_EQ(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERRNO(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_EQ(fcntl(memory, F_GET_SEALS), 0);
	CHECK_OK(ftruncate(memory, 4096));
	CHECK_OK(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	CHECK_ERRNO(ftruncate(memory, 0), EPERM);
	CHECK_ERRNO(ftruncate(memory, 8192), EPERM);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	CHECK_ERRNO(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_OK(munmap(map, 4096));
	CHECK_OK(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
	CHECK_ERRNO(write(memory, "x", 1), EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0) == MAP_FAILED && errno == EPERM);
	CHECK_ERRNO(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
	close(memory);
	close(plain);
	close(fd);
}

int main(void)
{
	vectors();
	ranges();
	pipes();
	control();
	return check_done();
}
