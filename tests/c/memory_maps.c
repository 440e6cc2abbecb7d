/* mmap, munmap, mprotect, mremap and msync: anonymous, private and shared file maps.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

enum { PAGE = 4096 };

static int mapped(const void *address)
{
	unsigned char state;
	return mincore((void *)((uintptr_t)address & ~(uintptr_t)(PAGE - 1)), PAGE, &state) == 0;
}

static void anonymous(void)
{
	char *p = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED && (uintptr_t)p % PAGE == 0);
	for (int i = 0; i < 10 * PAGE; i += 512)
		CHECK_EQ(p[i], 0);
	memset(p, 7, 10 * PAGE);
	CHECK_OK(munmap(p + 3 * PAGE, 2 * PAGE));
	CHECK(mapped(p + 2 * PAGE) && !mapped(p + 3 * PAGE) && !mapped(p + 4 * PAGE) && mapped(p + 5 * PAGE));
	/* Into the hole, and over what is there. */
	char *q = mmap(p + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(q == p + 3 * PAGE && q[0] == 0);
	q = mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(q == p && p[0] == 0 && p[PAGE] == 7);
	CHECK(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EEXIST);
	CHECK_OK(munmap(p, 10 * PAGE));
	CHECK_OK(munmap(p, 10 * PAGE));
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(p + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, SIZE_MAX - PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
}

static void protection(void)
{
	int out[2];
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_OK(pipe(out));
	strcpy(p + PAGE, "text");
	CHECK_OK(mprotect(p + PAGE, PAGE, PROT_READ));
	CHECK_STR(p + PAGE, "text");
	CHECK_EQ(write(out[1], p + PAGE, 4), 4);
	/* The kernel cannot write there either. */
	CHECK_ERRNO(read(out[0], p + PAGE, 4), EFAULT);
	CHECK_OK(mprotect(p + 2 * PAGE, PAGE, PROT_NONE));
	CHECK_ERRNO(write(out[1], p + 2 * PAGE, 4), EFAULT);
	CHECK_OK(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE));
	p[2 * PAGE] = 1;
	CHECK_OK(munmap(p + 3 * PAGE, PAGE));
	CHECK_ERRNO(mprotect(p, 4 * PAGE, PROT_READ), ENOMEM);
	CHECK_ERRNO(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
	CHECK_OK(munmap(p, 3 * PAGE));
	close(out[0]);
	close(out[1]);
}

static void files(void)
{
	char text[8] = "", *shared, *private;
	int fd = open("file", O_RDWR | O_CREAT, 0644);
	CHECK_OK(ftruncate(fd, 3 * PAGE));
	CHECK_EQ(pwrite(fd, "first", 5, 0), 5);
	CHECK_EQ(pwrite(fd, "second", 6, PAGE), 6);
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(shared != MAP_FAILED && private != MAP_FAILED);
	CHECK_STR(shared, "first");
	CHECK_STR(private + PAGE, "second");
	memcpy(shared, "FIRST", 5);
	CHECK_OK(msync(shared, PAGE, MS_SYNC));
	CHECK_EQ(pread(fd, text, 5, 0), 5);
	CHECK_STR(text, "FIRST");
	memcpy(private, "mine!", 5);
	CHECK_EQ(pread(fd, text, 5, 0), 5);
	CHECK_STR(text, "FIRST");
	CHECK_EQ(pwrite(fd, "third", 5, 100), 5);
	CHECK(memcmp(shared + 100, "third", 5) == 0);
	char *again = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	CHECK_STR(again, "second");
	shared[PAGE] = 'S';
	CHECK_STR(again, "Second");
	CHECK_OK(munmap(again, PAGE));
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1) == MAP_FAILED && errno == EINVAL);
	CHECK_OK(close(fd));
	/* The map outlives the descriptor. */
	shared[1] = 'x';
	CHECK_OK(munmap(shared, 2 * PAGE));
	CHECK_OK(munmap(private, 2 * PAGE));
	fd = open("file", O_RDONLY);
	CHECK_EQ(pread(fd, text, 5, 0), 5);
	CHECK_STR(text, "FxRST");
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
	private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(private != MAP_FAILED);
	CHECK_OK(munmap(private, PAGE));
	CHECK_OK(close(fd));
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, 77, 0) == MAP_FAILED && errno == EBADF);
}

static void moving(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(p, "start");
	strcpy(p + 3 * PAGE, "end");
	p = mremap(p, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED);
	CHECK_STR(p, "start");
	CHECK_STR(p + 3 * PAGE, "end");
	CHECK_EQ(p[63 * PAGE], 0);
	CHECK(mremap(p, 64 * PAGE, 2 * PAGE, 0) == p);
	CHECK(mapped(p + PAGE) && !mapped(p + 2 * PAGE));
	char *target = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *moved = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	CHECK(moved == target && !mapped(p));
	CHECK_STR(moved, "start");
	CHECK_OK(munmap(moved, 2 * PAGE));
	CHECK(mremap(moved, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 5, 3 * PAGE);
	CHECK_OK(madvise(p + PAGE, PAGE, MADV_DONTNEED));
	CHECK(p[0] == 5 && p[PAGE] == 0 && p[2 * PAGE] == 5);
	CHECK_OK(munmap(p, 3 * PAGE));
}

int main(void)
{
	CHECK_EQ(sysconf(_SC_PAGESIZE), PAGE);
	CHECK_EQ(getpagesize(), PAGE);
	anonymous();
	protection();
	files();
	moving();
	return check_done();
}
