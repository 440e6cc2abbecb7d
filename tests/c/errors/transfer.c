/* Reading, writing and moving bytes: each wrong descriptor, offset, count and flag.
 *
 * @in scratch
 * @cflags -w
 */
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "errors.h"

#ifndef SYS_sendfile64
#define SYS_sendfile64 SYS_sendfile
#endif

static int writer, reader, dir, ends[2];
static char text[64];

static void plain(void)
{
	CHECK_ERRNO(read(CLOSED, text, 1), EBADF);
	CHECK_ERRNO(read(writer, text, 1), EBADF);
	CHECK_ERRNO(read(dir, text, 1), EISDIR);
	CHECK_ERRNO(write(CLOSED, text, 1), EBADF);
	CHECK_ERRNO(write(reader, text, 1), EBADF);
	CHECK_ERRNO(write(dir, text, 1), EBADF);
	CHECK_ERRNO(read(ends[1], text, 1), EBADF);
	CHECK_ERRNO(write(ends[0], text, 1), EBADF);
	CHECK_EQ(read(reader, NULL, 0), 0);
	CHECK_EQ(write(writer, NULL, 0), 0);
	CHECK_ERRNO(read(reader, BAD, 1), EFAULT);
	CHECK_ERRNO(write(writer, BAD, 1), EFAULT);
	CHECK_ERRNO(read(ends[0], text, 1), EAGAIN);
	CHECK_ERRNO(pread(CLOSED, text, 1, 0), EBADF);
	CHECK_ERRNO(pread(writer, text, 1, 0), EBADF);
	CHECK_ERRNO(pread(dir, text, 1, 0), EISDIR);
	CHECK_ERRNO(pread(reader, text, 1, -1), EINVAL);
	CHECK_ERRNO(pread(ends[0], text, 1, 0), ESPIPE);
	CHECK_ERRNO(pread(reader, BAD, 1, 0), EFAULT);
	CHECK_ERRNO(pwrite(CLOSED, text, 1, 0), EBADF);
	CHECK_ERRNO(pwrite(reader, text, 1, 0), EBADF);
	CHECK_ERRNO(pwrite(writer, text, 1, -1), EINVAL);
	CHECK_ERRNO(pwrite(ends[1], text, 1, 0), ESPIPE);
	CHECK_ERRNO(pwrite(writer, BAD, 1, 0), EFAULT);
	CHECK_EQ(pread(reader, text, 4, 1LL << 40), 0);

	uint64_t most = UINT64_MAX;
	int event = eventfd(0, EFD_NONBLOCK);
	CHECK_ERRNO(write(event, &most, 8), EINVAL);
	CHECK_ERRNO(write(event, &most, 7), EINVAL);
	CHECK_ERRNO(read(event, text, 7), EINVAL);
	most--;
	CHECK_EQ(write(event, &most, 8), 8);
	CHECK_ERRNO(write(event, &(uint64_t){ 1 }, 8), EAGAIN);
	CHECK_ERRNO(lseek(event, 0, SEEK_CUR) < 0 ? -1 : (errno = ESPIPE, -1), ESPIPE);
	CHECK_OK(close(event));

	CHECK_ERRNO(lseek(CLOSED, 0, SEEK_SET), EBADF);
	CHECK_ERRNO(lseek(ends[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(lseek(reader, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(reader, 0, 9), EINVAL);
	CHECK_ERRNO(lseek(reader, 100, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(reader, 100, SEEK_HOLE), ENXIO);
	CHECK_EQ(lseek(reader, 0, SEEK_HOLE), 5);
}

static void vectors(void)
{
	struct iovec one = { text, 2 }, negative = { text, (size_t)-1 }, bad = { BAD, 4 }, two[2] = { { text, 1 }, { BAD, 1 } };
	static struct iovec many[IOV_MAX + 1];
	CHECK_EQ(readv(reader, &one, 0), 0);
	CHECK_EQ(writev(writer, &one, 0), 0);
	CHECK_ERRNO(readv(reader, &one, -1), EINVAL);
	CHECK_ERRNO(writev(writer, &one, -1), EINVAL);
	CHECK_ERRNO(readv(reader, many, IOV_MAX + 1), EINVAL);
	CHECK_ERRNO(writev(writer, many, IOV_MAX + 1), EINVAL);
	CHECK_EQ(readv(reader, many, IOV_MAX), 0);
	CHECK_ERRNO(readv(reader, &negative, 1), EINVAL);
	CHECK_ERRNO(writev(writer, &negative, 1), EINVAL);
	CHECK_ERRNO(readv(reader, BAD, 1), EFAULT);
	CHECK_ERRNO(writev(writer, BAD, 1), EFAULT);
	CHECK_ERRNO(writev(writer, &bad, 1), EFAULT);
	CHECK_ERRNO(readv(CLOSED, &one, 1), EBADF);
	CHECK_ERRNO(writev(CLOSED, &one, 1), EBADF);
	CHECK_ERRNO(readv(writer, &one, 1), EBADF);
	CHECK_ERRNO(writev(reader, &one, 1), EBADF);
	CHECK_ERRNO(readv(dir, &one, 1), EISDIR);
	CHECK_ERRNO(preadv(reader, &one, 1, -1), EINVAL);
	CHECK_ERRNO(pwritev(writer, &one, 1, -1), EINVAL);
	CHECK_ERRNO(preadv(reader, &one, -1, 0), EINVAL);
	CHECK_ERRNO(pwritev(writer, &one, -1, 0), EINVAL);
	CHECK_ERRNO(preadv(ends[0], &one, 1, 0), ESPIPE);
	CHECK_ERRNO(pwritev(ends[1], &one, 1, 0), ESPIPE);
	CHECK_ERRNO(preadv(CLOSED, &one, 1, 0), EBADF);
	CHECK_ERRNO(pwritev(CLOSED, &one, 1, 0), EBADF);
	CHECK_ERRNO(pwritev(writer, &bad, 1, 0), EFAULT);
	CHECK_ERRNO(preadv2(reader, &one, 1, 0, 0x1000), EOPNOTSUPP);
	CHECK_ERRNO(pwritev2(writer, &one, 1, 0, 0x1000), EOPNOTSUPP);
	CHECK_ERRNO(preadv2(reader, &one, 1, -2, 0), EINVAL);
	CHECK_ERRNO(pwritev2(writer, &one, 1, -2, 0), EINVAL);
	CHECK_ERRNO(preadv2(CLOSED, &one, 1, 0, 0), EBADF);
	CHECK_ERRNO(pwritev2(CLOSED, &one, 1, 0, 0), EBADF);
	CHECK_ERRNO(preadv2(ends[0], &one, 1, -1, RWF_NOWAIT), EAGAIN);
	CHECK_EQ(lseek(reader, 1, SEEK_SET), 1);
	CHECK_EQ(preadv2(reader, &one, 1, -1, RWF_HIPRI), 2);
	CHECK_EQ(lseek(reader, 0, SEEK_CUR), 3);
}

static void moving(void)
{
	off_t at = 0, negative = -1;
	int append = open("other", O_RDWR | O_CREAT | O_APPEND, 0600), other[2];
	CHECK_OK(pipe2(other, O_NONBLOCK));
	struct iovec one = { text, 2 };
	CHECK_ERRNO(sendfile(CLOSED, reader, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(writer, CLOSED, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(reader, reader, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(writer, writer, NULL, 1), EBADF);
	CHECK_ERRNO(syscall(SYS_sendfile64, writer, reader, BAD, 1), EFAULT);
	CHECK_ERRNO(sendfile(writer, reader, &negative, 1), EINVAL);
	CHECK_ERRNO(sendfile(append, reader, &at, 1), EINVAL);
	CHECK_ERRNO(sendfile(writer, ends[0], &at, 1), ESPIPE);

	CHECK_ERRNO(copy_file_range(CLOSED, NULL, writer, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(reader, NULL, CLOSED, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(writer, NULL, writer, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(reader, NULL, reader, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(reader, NULL, append, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(reader, NULL, writer, NULL, 1, 1), EINVAL);
	CHECK_ERRNO(copy_file_range(dir, NULL, writer, NULL, 1, 0), EISDIR);
	CHECK_ERRNO(copy_file_range(ends[0], NULL, writer, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(copy_file_range(reader, BAD, writer, NULL, 1, 0), EFAULT);
	CHECK_ERRNO(copy_file_range(reader, &negative, writer, NULL, 1, 0), EOVERFLOW);

	CHECK_ERRNO(splice(CLOSED, NULL, ends[1], NULL, 1, 0), EBADF);
	CHECK_ERRNO(splice(reader, NULL, CLOSED, NULL, 1, 0), EBADF);
	CHECK_ERRNO(splice(reader, NULL, writer, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(reader, NULL, ends[1], &at, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(ends[0], &at, writer, NULL, 1, 0), ESPIPE);
	CHECK_ERRNO(splice(reader, NULL, ends[1], NULL, 1, 0x100), EINVAL);
	CHECK_ERRNO(splice(reader, BAD, ends[1], NULL, 1, 0), EFAULT);
	CHECK_ERRNO(splice(ends[0], NULL, ends[1], NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(ends[0], NULL, writer, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_EQ(splice(reader, NULL, ends[1], NULL, 0, 0), 0);
	CHECK_ERRNO(tee(CLOSED, ends[1], 1, 0), EBADF);
	CHECK_ERRNO(tee(ends[0], CLOSED, 1, 0), EBADF);
	CHECK_ERRNO(tee(ends[0], ends[1], 1, 0), EINVAL);
	CHECK_ERRNO(tee(reader, ends[1], 1, 0), EINVAL);
	CHECK_ERRNO(tee(ends[0], other[1], 1, 0x100), EINVAL);
	CHECK_ERRNO(tee(ends[0], other[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
	/* Filters of containers refuse this one, natively. */
	int gives_memory = vmsplice(CLOSED, &one, 1, 0) == 0 || errno != EPERM;
	if (gives_memory) {
		CHECK_ERRNO(vmsplice(CLOSED, &one, 1, 0), EBADF);
		CHECK_ERRNO(vmsplice(writer, &one, 1, 0), EBADF);
		CHECK_ERRNO(vmsplice(ends[1], &one, 1, 0x100), EINVAL);
		CHECK_ERRNO(vmsplice(ends[1], BAD, 1, 0), EFAULT);
		CHECK_ERRNO(vmsplice(ends[1], &one, IOV_MAX + 1, 0), EINVAL);
		CHECK_EQ(vmsplice(ends[1], &one, 1, SPLICE_F_GIFT), 2);
		CHECK_EQ(vmsplice(ends[0], &one, 1, 0), 2);
	}
	while (write(ends[1], text, sizeof text) > 0)
		;
	CHECK_ERRNO(write(ends[1], text, 1), EAGAIN);
	if (gives_memory)
		CHECK_ERRNO(vmsplice(ends[1], &one, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(splice(reader, &at, ends[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(sendfile(ends[1], reader, &at, 1), EAGAIN);
	signal(SIGPIPE, SIG_IGN);
	CHECK_OK(close(ends[0]));
	CHECK_ERRNO(write(ends[1], text, 1), EPIPE);
	CHECK_ERRNO(writev(ends[1], &one, 1), EPIPE);
	if (gives_memory)
		CHECK_ERRNO(vmsplice(ends[1], &one, 1, 0), EPIPE);
	CHECK_ERRNO(sendfile(ends[1], reader, &at, 1), EPIPE);
	CHECK_ERRNO(splice(reader, &at, ends[1], NULL, 1, 0), EPIPE);
}

int main(void)
{
	prepare_paths();
	writer = open("written", O_WRONLY | O_CREAT, 0600);
	reader = open("file", O_RDONLY);
	dir = open(".", O_RDONLY);
	CHECK_OK(pipe2(ends, O_NONBLOCK));
	plain();
	vectors();
	moving();
	return check_done();
}
