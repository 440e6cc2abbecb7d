/* read, write, seek and their positioned and vectored forms.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "check.h"

static void positions(int fd)
{
	char buffer[64];
	CHECK_EQ(write(fd, "hello world", 11), 11);
	CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
	CHECK_EQ(read(fd, buffer, 64), 5);
	CHECK(memcmp(buffer, "world", 5) == 0);
	CHECK_EQ(lseek(fd, -5, SEEK_CUR), 6);
	CHECK_EQ(lseek(fd, -1, SEEK_END), 10);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 99), EINVAL);
	CHECK_EQ(pread(fd, buffer, 5, 0), 5);
	CHECK(memcmp(buffer, "hello", 5) == 0);
	CHECK_EQ(pwrite(fd, "HELLO", 5, 0), 5);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
	CHECK_EQ(pread(fd, buffer, 5, 1000), 0);
	CHECK_ERRNO(pread(fd, buffer, 5, -1), EINVAL);
	CHECK_EQ(read(fd, buffer, 0), 0);
	CHECK_EQ(write(fd, buffer, 0), 0);
}

static void vectors(int fd)
{
	char a[4] = "", b[8] = "", c[4] = "";
	struct iovec out[3] = { { "abc", 3 }, { "defgh", 5 }, { "ij", 2 } };
	struct iovec in[3] = { { a, 2 }, { b, 5 }, { c, 3 } };
	CHECK_OK(ftruncate(fd, 0));
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(writev(fd, out, 3), 10);
	CHECK_EQ(preadv(fd, in, 3, 0), 10);
	CHECK_STR(a, "ab");
	CHECK_STR(b, "cdefg");
	CHECK(memcmp(c, "hij", 3) == 0);
	CHECK_EQ(pwritev(fd, out, 1, 7), 3);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(readv(fd, in, 2), 7);
	CHECK_EQ(readv(fd, in, 0), 0);
	CHECK_ERRNO(readv(fd, in, -1), EINVAL);
	CHECK_ERRNO(readv(fd, in, IOV_MAX + 1), EINVAL);
}

static void sizes(int fd)
{
	struct stat st;
	char buffer[16];
	CHECK_OK(ftruncate(fd, 100000));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 100000);
	CHECK_EQ(pread(fd, buffer, 16, 50000), 16);
	CHECK(buffer[0] == 0 && buffer[15] == 0);
	CHECK_OK(ftruncate(fd, 3));
	CHECK_EQ(pread(fd, buffer, 16, 0), 3);
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_OK(truncate("file", 7));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 7);
	CHECK_ERRNO(truncate("absent", 1), ENOENT);
	CHECK_ERRNO(truncate(".", 1), EISDIR);
	CHECK_OK(posix_fallocate(fd, 0, 8192));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 8192);
	CHECK_EQ(posix_fallocate(fd, 0, 0), EINVAL);
	CHECK_OK(fsync(fd));
	CHECK_OK(fdatasync(fd));
	CHECK_OK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));

	/* Beyond 4 GiB: offsets have 64 bits. */
	off_t far = 5LL << 30;
	CHECK_EQ(pwrite(fd, "far", 3, far), 3);
	CHECK_EQ(lseek(fd, 0, SEEK_END), far + 3);
	CHECK_EQ(pread(fd, buffer, 16, far), 3);
	CHECK_EQ(lseek(fd, far + 1, SEEK_SET), far + 1);
	CHECK_EQ(read(fd, buffer, 16), 2);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, far + 3);
	off_t data = lseek(fd, 1 << 20, SEEK_DATA);
	CHECK(data == far || (data > 1 << 20 && data <= far));
	CHECK(lseek(fd, far, SEEK_HOLE) == far + 3);
	CHECK_ERRNO(lseek(fd, far + 10, SEEK_DATA), ENXIO);
	CHECK_OK(ftruncate(fd, 0));
}

static void copies(int fd)
{
	char buffer[16] = "";
	int other = open("other", O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK_EQ(pwrite(fd, "copied bytes", 12, 0), 12);
	off_t from = 0;
	CHECK_EQ(copy_file_range(fd, &from, other, NULL, 6, 0), 6);
	CHECK_EQ(from, 6);
	CHECK_EQ(pread(other, buffer, 16, 0), 6);
	CHECK_STR(buffer, "copied");
	CHECK_OK(close(other));
}

int main(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0);
	positions(fd);
	vectors(fd);
	sizes(fd);
	copies(fd);
	CHECK_OK(close(fd));
	CHECK_ERRNO(close(fd), EBADF);
	CHECK_ERRNO(read(fd, NULL, 1), EBADF);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
	CHECK_ERRNO(fsync(fd), EBADF);
	CHECK_ERRNO(ftruncate(fd, 0), EBADF);
	return check_done();
}
