/* Files without a plain name: memfd, eventfd, FIFOs, holes, sendfile, openat2.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

static void memory_file(void)
{
	char text[8] = "";
	int fd = memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, "memory", 6), 6);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && memcmp(p, "memory", 6) == 0);
	p[0] = 'M';
	CHECK_EQ(pread(fd, text, 6, 0), 6);
	CHECK_STR(text, "Memory");
	CHECK_OK(munmap(p, 4096));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_GROW);
	CHECK_ERRNO(ftruncate(fd, 100), EPERM);
	CHECK_OK(close(fd));
	CHECK_ERRNO(memfd_create("x", 0x8000), EINVAL);
}

static void events(void)
{
	uint64_t n = 3;
	int fd = eventfd(2, EFD_NONBLOCK);
	CHECK_OK(fd);
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	CHECK_EQ(write(fd, &n, 8), 8);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK_EQ(n, 5);
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	CHECK_ERRNO(read(fd, &n, 4), EINVAL);
	CHECK_OK(close(fd));
}

static void fifo(void)
{
	struct stat st;
	char text[8] = "";
	CHECK_OK(mkfifo("fifo", 0644));
	CHECK_ERRNO(mkfifo("fifo", 0644), EEXIST);
	CHECK_OK(stat("fifo", &st));
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_ERRNO(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	int in = open("fifo", O_RDONLY | O_NONBLOCK), out = open("fifo", O_WRONLY | O_NONBLOCK);
	CHECK_OK(in);
	CHECK_OK(out);
	CHECK_EQ(write(out, "through", 7), 7);
	CHECK_EQ(read(in, text, 7), 7);
	CHECK_STR(text, "through");
	CHECK_ERRNO(lseek(in, 0, SEEK_SET), ESPIPE);
	CHECK_OK(close(out));
	CHECK_EQ(read(in, text, 7), 0);
	CHECK_OK(close(in));
	CHECK_OK(mknod("regular", S_IFREG | 0600, 0));
	CHECK_OK(stat("regular", &st));
	CHECK(S_ISREG(st.st_mode) && st.st_size == 0);
}

static void holes(void)
{
	char text[16];
	struct stat st;
	int fd = open("holes", O_RDWR | O_CREAT, 0644);
	CHECK_OK(fallocate(fd, 0, 0, 16384));
	CHECK_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 65536));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 16384);
	CHECK_EQ(pwrite(fd, "0123456789abcdef", 16, 4090), 16);
	CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
	CHECK_EQ(pread(fd, text, 16, 4090), 16);
	CHECK(memcmp(text, "012345\0\0\0\0\0\0\0\0\0\0", 16) == 0);
	CHECK_ERRNO(fallocate(fd, 0, -1, 10), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0x4000, 0, 10), EOPNOTSUPP);
	CHECK_OK(close(fd));
}

static void sending(void)
{
	char text[16] = "";
	int from = open("from", O_RDWR | O_CREAT, 0644), to = open("to", O_RDWR | O_CREAT, 0644);
	CHECK_EQ(write(from, "send this along", 15), 15);
	off_t offset = 5;
	CHECK_EQ(sendfile(to, from, &offset, 4), 4);
	CHECK_EQ(offset, 9);
	CHECK_EQ(lseek(from, 0, SEEK_CUR), 15);
	CHECK_EQ(lseek(from, 10, SEEK_SET), 10);
	CHECK_EQ(sendfile(to, from, NULL, 100), 5);
	CHECK_EQ(pread(to, text, 15, 0), 9);
	CHECK_STR(text, "thisalong");
	CHECK_ERRNO(sendfile(to, 77, NULL, 1), EBADF);
	CHECK_OK(close(from));
	CHECK_OK(close(to));
}

static void constrained(void)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(symlink("../from", "d/up"));
	int dir = open("d", O_RDONLY);
	CHECK_ERRNO(syscall(SYS_openat2, dir, "../from", &how, sizeof how), EXDEV);
	CHECK_ERRNO(syscall(SYS_openat2, dir, "up", &how, sizeof how), EXDEV);
	how.resolve = RESOLVE_NO_SYMLINKS;
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "d/up", &how, sizeof how), ELOOP);
	how.resolve = RESOLVE_IN_ROOT;
	CHECK_ERRNO(syscall(SYS_openat2, dir, "up", &how, sizeof how), ENOENT);
	how.resolve = 1 << 20;
	CHECK_ERRNO(syscall(SYS_openat2, dir, "up", &how, sizeof how), EINVAL);
	CHECK_ERRNO(syscall(SYS_openat2, dir, "up", &how, 8), EINVAL);
	/* Flags that open ignores beside O_PATH are refused. */
	static const int with_path[] = { O_RDWR, O_CREAT, O_EXCL, O_NOCTTY, O_DIRECT, O_TRUNC, O_APPEND, O_TMPFILE | O_RDWR };
	for (size_t i = 0; i < sizeof with_path / sizeof *with_path; i++) {
		struct open_how mixed = { .flags = O_PATH | with_path[i] };
		CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, ".", &mixed, sizeof mixed), EINVAL);
	}
}

int main(void)
{
	memory_file();
	events();
	fifo();
	holes();
	sending();
	constrained();
	return check_done();
}
