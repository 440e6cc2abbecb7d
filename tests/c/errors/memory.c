/* Calls about memory: each wrong address, length, flag and advice; the limit of what may be locked.
 *
 * @in scratch
 * @cflags -w
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "errors.h"

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

static int map(size_t length, int prot, int flags, int fd, off_t offset)
{
	return mmap(NULL, length, prot, flags, fd, offset) == MAP_FAILED ? -1 : 0;
}

int main(void)
{
	int ends[2];
	unsigned char resident[4];
	prepare_paths();
	drop_privileges();
	CHECK_OK(pipe(ends));
	int fd = open("file", O_RDONLY), dir = open(".", O_RDONLY), path = open("file", O_PATH);
	char *reading = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	char *p = mmap(NULL, 4 * PAGE, RW, PRIVATE, -1, 0);
	CHECK_OK(munmap(p + 3 * PAGE, PAGE));
	CHECK_ERRNO(map(PAGE, PROT_READ, MAP_PRIVATE, CLOSED, 0), EBADF);
	CHECK_ERRNO(map(PAGE, PROT_READ, MAP_PRIVATE, path, 0), EBADF);
	CHECK_ERRNO(map(PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
	CHECK_ERRNO(map(PAGE, PROT_READ, MAP_SHARED, ends[0], 0), ENODEV);
	CHECK_ERRNO(map(PAGE, PROT_READ, MAP_SHARED, fd, 7), EINVAL);
	CHECK_ERRNO(map(0, RW, PRIVATE, -1, 0), EINVAL);
	CHECK_ERRNO(map((size_t)-PAGE, RW, PRIVATE, -1, 0), ENOMEM);
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
	CHECK_ERRNO(mprotect(p + 1, PAGE, RW), EINVAL);
	CHECK_ERRNO(mprotect(p + 2 * PAGE, 2 * PAGE, RW), ENOMEM);
	CHECK_ERRNO(mprotect(p, PAGE, PROT_GROWSUP | PROT_GROWSDOWN), EINVAL);
	CHECK_ERRNO(mprotect(reading, PAGE, RW), EACCES);
	CHECK_ERRNO((intptr_t)mremap(p + 1, PAGE, PAGE, 0), EINVAL);
	CHECK_ERRNO((intptr_t)mremap(p, PAGE, 0, 0), EINVAL);
	CHECK_ERRNO((intptr_t)mremap(p, PAGE, PAGE, 0x100), EINVAL);
	CHECK_ERRNO((intptr_t)mremap(p, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
	CHECK_ERRNO((intptr_t)mremap(p + 3 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERRNO((intptr_t)mremap(p, PAGE, 2 * PAGE, 0), ENOMEM);
	CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, 0x100), EINVAL);
	CHECK_ERRNO(msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
	CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, 999), EINVAL);
	CHECK_ERRNO(madvise(p, 4 * PAGE, MADV_NORMAL), ENOMEM);
	CHECK_ERRNO(mincore(p + 1, PAGE, resident), EINVAL);
	CHECK_ERRNO(mincore(p, 4 * PAGE, resident), ENOMEM);
	CHECK_ERRNO(mincore(p, PAGE, BAD), EFAULT);

	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 2 * PAGE, 2 * PAGE }));
	CHECK_OK(mlock(p, 2 * PAGE));
	CHECK_ERRNO(mlock(p + 2 * PAGE, PAGE), ENOMEM);
	CHECK_ERRNO(mlock2(p + 2 * PAGE, PAGE, MLOCK_ONFAULT), ENOMEM);
	CHECK_OK(munlock(p, 2 * PAGE));
	CHECK_OK(mlock2(p, 2 * PAGE, MLOCK_ONFAULT));
	CHECK_ERRNO(mlock2(p, PAGE, 2), EINVAL);
	CHECK_ERRNO(mlock(p + 3 * PAGE, PAGE), ENOMEM);
	CHECK_ERRNO(munlock(p + 3 * PAGE, PAGE), ENOMEM);
	CHECK_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlockall(0x100), EINVAL);
	CHECK_ERRNO(mlockall(MCL_ONFAULT), EINVAL);
	CHECK_ERRNO(map(PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0), EAGAIN);
	CHECK_OK(munlockall());
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 0, 0 }));
	CHECK_ERRNO(mlock(p, PAGE), EPERM);
	CHECK_ERRNO(mlock2(p, PAGE, 0), EPERM);
	CHECK_ERRNO(mlockall(MCL_FUTURE), EPERM);
	CHECK_OK(setrlimit(RLIMIT_AS, &(struct rlimit){ PAGE, RLIM_INFINITY }));
	CHECK_ERRNO(map(PAGE, RW, PRIVATE, -1, 0), ENOMEM);
	CHECK_ERRNO((intptr_t)mremap(p, PAGE, 8 * PAGE, MREMAP_MAYMOVE), ENOMEM);
	return check_done();
}
