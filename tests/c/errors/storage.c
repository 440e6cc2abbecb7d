/* Sizes and storage of files: truncate, fallocate, fadvise, readahead, the sync family.
 *
 * @in scratch
 * @cflags -w
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "errors.h"

static long long size_of(int fd)
{
	struct stat st;
	CHECK_OK(fstat(fd, &st));
	return st.st_size;
}

int main(void)
{
	int ends[2];
	prepare_paths();
	CHECK_OK(pipe(ends));
	CHECK_OK(mkfifo("fifo", 0600));
	int fd = open("file", O_RDWR), reader = open("file", O_RDONLY), dir = open(".", O_RDONLY), path = open("file", O_PATH);

	CHECK_OK(truncate("file", 100));
	CHECK_EQ(size_of(fd), 100);
	CHECK_OK(ftruncate(fd, 5));
	CHECK_EQ(size_of(fd), 5);
	CHECK_ERRNO(truncate("file", -1), EINVAL);
	CHECK_ERRNO(truncate("dir", 0), EISDIR);
	CHECK_ERRNO(truncate("fifo", 0), EINVAL);
	CHECK_ERRNO(truncate("/dev/null", 0), EINVAL);
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_ERRNO(ftruncate(CLOSED, 0), EBADF);
	CHECK_ERRNO(ftruncate(path, 0), EBADF);
	CHECK_ERRNO(ftruncate(reader, 0), EINVAL);
	CHECK_ERRNO(ftruncate(dir, 0), EINVAL);
	CHECK_ERRNO(ftruncate(ends[1], 0), EINVAL);

	CHECK_ERRNO(fallocate(CLOSED, 0, 0, 1), EBADF);
	CHECK_ERRNO(fallocate(reader, 0, 0, 1), EBADF);
	CHECK_ERRNO(fallocate(fd, 0, -1, 1), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERRNO(fallocate(fd, 1 << 10, 0, 1), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, 0, INT64_MAX - 1, 4096), EFBIG);
	CHECK_ERRNO(fallocate(ends[1], 0, 0, 1), ESPIPE);
	CHECK_ERRNO(fallocate(dir, 0, 0, 1), EBADF);
	CHECK_ERRNO(fallocate(path, 0, 0, 1), EBADF);
	int memory = memfd_create("holes", MFD_ALLOW_SEALING);
	CHECK_OK(fallocate(memory, 0, 0, 8192));
	CHECK_EQ(size_of(memory), 8192);
	CHECK_OK(fallocate(memory, FALLOC_FL_KEEP_SIZE, 8192, 4096));
	CHECK_EQ(size_of(memory), 8192);
	CHECK_EQ(pwrite(memory, "data", 4, 0), 4);
	CHECK_OK(fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	char byte = 1;
	CHECK_EQ(pread(memory, &byte, 1, 0), 1);
	CHECK_EQ(byte, 0);
	CHECK_OK(fcntl(memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK));
	CHECK_ERRNO(ftruncate(memory, 0), EPERM);
	CHECK_ERRNO(fallocate(memory, 0, 8192, 1), EPERM);
	CHECK_OK(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
	CHECK_ERRNO(write(memory, "x", 1), EPERM);
	CHECK_ERRNO(fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1), EPERM);
	CHECK_ERRNO(fcntl(memory, F_ADD_SEALS, F_SEAL_GROW), EPERM);

	for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE; advice++)
		CHECK_EQ(posix_fadvise(fd, 0, 0, advice), 0);
	CHECK_EQ(posix_fadvise(fd, 0, 0, 77), EINVAL);
	CHECK_EQ(posix_fadvise(CLOSED, 0, 0, POSIX_FADV_NORMAL), EBADF);
	CHECK_EQ(posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
	CHECK_EQ(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL), EINVAL);
	CHECK_OK(readahead(fd, 0, 4096));
	CHECK_ERRNO(readahead(CLOSED, 0, 1), EBADF);
	CHECK_ERRNO(readahead(ends[0], 0, 1), EINVAL);
	int writer = open("file", O_WRONLY);
	CHECK_ERRNO(readahead(writer, 0, 1), EBADF);

	CHECK_OK(fsync(fd));
	CHECK_OK(fdatasync(fd));
	CHECK_OK(syncfs(fd));
	CHECK_OK(fsync(dir));
	sync();
	CHECK_ERRNO(fsync(CLOSED), EBADF);
	CHECK_ERRNO(fdatasync(CLOSED), EBADF);
	CHECK_ERRNO(syncfs(CLOSED), EBADF);
	CHECK_ERRNO(fsync(ends[0]), EINVAL);
	CHECK_ERRNO(fdatasync(ends[0]), EINVAL);
	CHECK_ERRNO(fsync(path), EBADF);
	CHECK_OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
	CHECK_ERRNO(sync_file_range(fd, 0, 0, 8), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, -1, 0, 0), EINVAL);
	CHECK_ERRNO(sync_file_range(CLOSED, 0, 0, 0), EBADF);
	CHECK_ERRNO(sync_file_range(ends[0], 0, 0, 0), ESPIPE);

	/* Beyond the limit of a file's size: a signal, and this error. */
	signal(SIGXFSZ, SIG_IGN);
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 50, RLIM_INFINITY }));
	CHECK_ERRNO(ftruncate(fd, 51), EFBIG);
	CHECK_ERRNO(truncate("file", 51), EFBIG);
	CHECK_ERRNO(fallocate(fd, 0, 0, 51), EFBIG);
	CHECK_ERRNO(pwrite(fd, "x", 1, 50), EFBIG);
	CHECK_EQ(pwrite(fd, "xx", 2, 49), 1);
	return check_done();
}
