/* What mmap, mremap, madvise, msync, mincore and mlock make of each flag and each wrong argument.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "../process.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };

/* The result as an error that CHECK_ERRNO understands. */
static int map(void *at, size_t length, int prot, int flags, int fd, off_t offset)
{
	void *p = mmap(at, length, prot, flags, fd, offset);
	if (p == MAP_FAILED)
		return -1;
	munmap(p, length);
	return 0;
}

static int resident(const char *p)
{
	unsigned char state = 0xff;
	return mincore((void *)p, PAGE, &state) < 0 ? -errno : state & 1;
}

static void mapping(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("file", O_RDONLY);
	CHECK_OK(ftruncate(fd, 3 * PAGE));
	CHECK_ERRNO(map(NULL, 0, RW, PRIVATE, -1, 0), EINVAL);
	CHECK_ERRNO(map(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(map(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERRNO(map(NULL, PAGE, RW, MAP_PRIVATE, fd, 1), EINVAL);
	CHECK_ERRNO(map(NULL, PAGE, RW, MAP_SHARED, reader, 0), EACCES);
	CHECK_OK(map(NULL, PAGE, RW, MAP_PRIVATE, reader, 0));
	CHECK_OK(map(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0));
	CHECK_OK(map(NULL, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0));
	CHECK_ERRNO(map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 1 << 23, fd, 0), EOPNOTSUPP);
	CHECK_ERRNO(map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
	CHECK_OK(map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 21 << 26, fd, 0));
	CHECK_OK(map(NULL, PAGE, RW, MAP_PRIVATE | 1 << 23, fd, 0));
	CHECK_ERRNO(map(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0), EINVAL);
	CHECK_OK(map(NULL, PAGE, RW | 0x100, PRIVATE, -1, 0));
	CHECK_ERRNO(map((void *)(16 * PAGE + 1), PAGE, RW, PRIVATE | MAP_FIXED, -1, 0), EINVAL);
	CHECK_OK(map(NULL, PAGE, RW, PRIVATE | MAP_NORESERVE, -1, 0));
	CHECK_OK(map(NULL, PAGE, RW, PRIVATE | MAP_STACK | MAP_DENYWRITE | MAP_EXECUTABLE, -1, 0));
	CHECK_OK(map(NULL, PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0));
	int end[2];
	CHECK_OK(pipe(end));
	CHECK_ERRNO(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, end[0], 0), ENODEV);
	int directory = open(".", O_RDONLY | O_DIRECTORY);
	CHECK_ERRNO(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0), ENODEV);
	close(directory);

	char *p = mmap(NULL, 4 * PAGE, RW, PRIVATE, -1, 0);
	CHECK_ERRNO(map(p + PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK_EQ(resident(p), 0);
	p[PAGE] = 1;
	CHECK_EQ(resident(p + PAGE), 1);
	CHECK_EQ(resident(p), 0);
	char *q = mmap(NULL, 4 * PAGE, RW, PRIVATE | MAP_POPULATE, -1, 0);
	CHECK_EQ(resident(q), 1);
	CHECK_EQ(resident(q + 3 * PAGE), 1);
	CHECK_OK(munmap(q, 4 * PAGE));
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
	CHECK_OK(munmap(p, 4 * PAGE));
	CHECK_OK(munmap(p, 4 * PAGE));
	close(fd);
	close(reader);
}

static void protection(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, PRIVATE, -1, 0);
	CHECK_OK(munmap(p + 2 * PAGE, PAGE));
	CHECK_ERRNO(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
	CHECK_OK(mprotect(p, 0, PROT_READ));
	CHECK_ERRNO(mprotect(p, PAGE, 0x100), EINVAL);
	CHECK_ERRNO(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
	CHECK_ERRNO(mprotect(p, 4 * PAGE, PROT_READ), ENOMEM);
	CHECK_OK(mprotect(p, 2 * PAGE, PROT_NONE));
	CHECK_OK(munmap(p, 4 * PAGE));
}

static char *mapped(int pages, int flags)
{
	char *p = mmap(NULL, pages * PAGE, RW, flags, -1, 0);
	for (int i = 0; i < pages; i++)
		p[i * PAGE] = 'a' + i;
	return p;
}

static int remap(char **p, size_t from, size_t to, int flags, void *where)
{
	void *q = mremap(*p, from, to, flags, where);
	if (q == MAP_FAILED)
		return -1;
	*p = q;
	return 0;
}

static void remapping(void)
{
	char *p = mapped(4, PRIVATE), *old = p;
	CHECK_ERRNO(remap(&p, 4 * PAGE, PAGE, 99, NULL), EINVAL);
	CHECK_ERRNO(remap(&p, 4 * PAGE, 0, 0, NULL), EINVAL);
	CHECK_ERRNO(remap(&p, 0, PAGE, MREMAP_MAYMOVE, NULL), EINVAL);
	CHECK_ERRNO(remap(&p, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
	CHECK_ERRNO(remap(&p, PAGE, PAGE, MREMAP_DONTUNMAP, NULL), EINVAL);
	CHECK_ERRNO(remap(&p, PAGE, 2 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, NULL), EINVAL);
	char *odd = p + 1;
	CHECK_ERRNO(remap(&odd, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL), EINVAL);
	CHECK_ERRNO(remap(&p, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE), EINVAL);

	/* DONTUNMAP: the pages go, the mapping stays, and is empty. */
	CHECK_OK(remap(&p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
	CHECK(p != old);
	CHECK(p[0] == 'a' && p[3 * PAGE] == 'd');
	CHECK_EQ(resident(old), 0);
	CHECK(old[0] == 0 && old[3 * PAGE] == 0);
	old[0] = 'x';
	CHECK_EQ(p[0], 'a');
	CHECK_OK(munmap(old, 4 * PAGE));

	/* Smaller, larger, and elsewhere. */
	CHECK_OK(remap(&p, 4 * PAGE, 2 * PAGE, 0, NULL));
	CHECK_EQ(resident(p + 2 * PAGE), -ENOMEM);
	char *wall = mmap(p + 2 * PAGE, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0);
	CHECK_ERRNO(remap(&p, 2 * PAGE, 3 * PAGE, 0, NULL), ENOMEM);
	old = p;
	CHECK_OK(remap(&p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE, NULL));
	CHECK(p != old && p[PAGE] == 'b' && p[2 * PAGE] == 0);
	CHECK_EQ(resident(old), -ENOMEM);
	CHECK_OK(munmap(wall, PAGE));

	/* Nothing is there. */
	char *gone = mmap(NULL, PAGE, RW, PRIVATE, -1, 0);
	CHECK_OK(munmap(gone, PAGE));
	CHECK_ERRNO(remap(&gone, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL), EFAULT);

	/* A shared mapping with length 0 is mapped a second time. */
	char *shared = mapped(2, MAP_SHARED | MAP_ANONYMOUS), *twin = shared;
	CHECK_OK(remap(&twin, 0, 2 * PAGE, MREMAP_MAYMOVE, NULL));
	twin[PAGE] = 'z';
	CHECK_EQ(shared[PAGE], 'z');
	CHECK_OK(munmap(shared, 2 * PAGE));
	CHECK_OK(munmap(twin, 2 * PAGE));
	CHECK_OK(munmap(p, 3 * PAGE));
}

static void advice(void)
{
	char *p = mapped(4, PRIVATE);
	CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, 7), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, 12345), EINVAL);
	CHECK_OK(madvise(p, 0, MADV_DONTNEED));
	CHECK_OK(madvise(p, PAGE, MADV_RANDOM));
	CHECK_OK(madvise(p, PAGE, MADV_SEQUENTIAL));
	CHECK_OK(madvise(p, PAGE, MADV_WILLNEED));
	CHECK_OK(madvise(p, PAGE, MADV_DONTNEED));
	CHECK(p[0] == 0 && p[PAGE] == 'b');
	CHECK_OK(madvise(p + PAGE, PAGE, MADV_FREE));
	CHECK(p[PAGE] == 'b' || p[PAGE] == 0);
	p[PAGE] = 'B';
	CHECK_EQ(p[PAGE], 'B');
	CHECK_OK(mlock(p + 2 * PAGE, PAGE));
	CHECK_ERRNO(madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_OK(madvise(p + 2 * PAGE, PAGE, 24));
	CHECK_EQ(p[2 * PAGE], 0);
	CHECK_OK(munlock(p + 2 * PAGE, PAGE));
	CHECK_OK(madvise(p, 4 * PAGE, MADV_DONTDUMP));
	CHECK_OK(madvise(p, 4 * PAGE, MADV_DODUMP));
	CHECK_OK(madvise(p, 4 * PAGE, MADV_COLD));
	CHECK_OK(madvise(p, 4 * PAGE, MADV_PAGEOUT));
	CHECK_EQ(p[PAGE], 'B');
	CHECK_ERRNO(madvise(p, PAGE, MADV_REMOVE), EINVAL);
	CHECK_OK(madvise(p, 4 * PAGE, MADV_DONTNEED));
	CHECK_OK(madvise(p, 2 * PAGE, MADV_POPULATE_READ));
	CHECK_OK(madvise(p, 2 * PAGE, MADV_POPULATE_WRITE));
	CHECK_EQ(resident(p + PAGE), 1);
	CHECK_EQ(resident(p + 2 * PAGE), 0);
	CHECK_OK(mprotect(p, PAGE, PROT_READ));
	CHECK_ERRNO(madvise(p, PAGE, MADV_POPULATE_WRITE), EINVAL);
	CHECK_OK(mprotect(p, PAGE, PROT_NONE));
	CHECK_ERRNO(madvise(p, PAGE, MADV_POPULATE_READ), EINVAL);
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK_OK(munmap(p, 4 * PAGE));

	char *shared = mapped(2, MAP_SHARED | MAP_ANONYMOUS);
	CHECK_ERRNO(madvise(shared, PAGE, MADV_FREE), EINVAL);
	CHECK_ERRNO(madvise(shared, PAGE, MADV_WIPEONFORK), EINVAL);
	CHECK_OK(madvise(shared, PAGE, MADV_DONTNEED));
	CHECK_EQ(shared[0], 'a');
	CHECK_OK(madvise(shared, PAGE, MADV_REMOVE));
	CHECK_EQ(shared[0], 0);
	CHECK_EQ(shared[PAGE], 'b');
	CHECK_OK(munmap(shared, 2 * PAGE));
}

static void in_children(void)
{
	char *p = mapped(3, PRIVATE);
	CHECK_OK(madvise(p, PAGE, MADV_WIPEONFORK));
	CHECK_OK(madvise(p + PAGE, PAGE, MADV_DONTFORK));
	CHECK_OK(mlock(p + 2 * PAGE, PAGE));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_EQ(p[0], 0);
		CHECK_EQ(resident(p + PAGE), -ENOMEM);
		CHECK_EQ(p[2 * PAGE], 'c');
		CHECK_OK(madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(p[0], 'a');
	CHECK_OK(madvise(p, PAGE, MADV_KEEPONFORK));
	CHECK_OK(madvise(p + PAGE, PAGE, MADV_DOFORK));
	pid = start();
	if (pid == 0) {
		CHECK(p[0] == 'a' && p[PAGE] == 'b');
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(munmap(p, 3 * PAGE));
}

static void synchronizing(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK_OK(ftruncate(fd, 3 * PAGE));
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
	p[0] = 'x';
	CHECK_OK(msync(p, 3 * PAGE, MS_SYNC));
	CHECK_OK(msync(p, 3 * PAGE, MS_ASYNC));
	CHECK_OK(msync(p, 3 * PAGE, MS_INVALIDATE));
	CHECK_OK(msync(p, 0, MS_SYNC));
	CHECK_OK(msync(p, PAGE, 0));
	CHECK_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, 8), EINVAL);
	CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK_OK(mlock(p, PAGE));
	CHECK_ERRNO(msync(p, PAGE, MS_INVALIDATE), EBUSY);
	CHECK_OK(munlock(p, PAGE));
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(msync(p, 3 * PAGE, MS_SYNC), ENOMEM);
	unsigned char states[3];
	CHECK_ERRNO(mincore(p, 3 * PAGE, states), ENOMEM);
	CHECK_ERRNO(mincore(p + 1, PAGE, states), EINVAL);
	CHECK_ERRNO(mincore(p, PAGE, (void *)8), EFAULT);
	CHECK_OK(munmap(p, 3 * PAGE));
	close(fd);
}

static void locking(void)
{
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		return;
	char *p = mapped(4, PRIVATE);
	struct rlimit limit = { 2 * PAGE, 2 * PAGE };
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	CHECK_OK(mlock(p + 1, PAGE));
	CHECK_ERRNO(mlock(p, 3 * PAGE), ENOMEM);
	CHECK_OK(mlock(p, 2 * PAGE));
	CHECK_OK(munlock(p, 4 * PAGE));
	CHECK_ERRNO(mlock2(p, PAGE, 2), EINVAL);
	CHECK_OK(mlock2(p, PAGE, MLOCK_ONFAULT));
	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlockall(8), EINVAL);
	CHECK_ERRNO(mlockall(MCL_ONFAULT), EINVAL);
	CHECK_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
	CHECK_OK(munlockall());
	CHECK_ERRNO(map(NULL, 3 * PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0), EAGAIN);
	CHECK_OK(map(NULL, 2 * PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0));
	CHECK_OK(mlockall(MCL_FUTURE));
	CHECK_ERRNO(map(NULL, 3 * PAGE, RW, PRIVATE, -1, 0), EAGAIN);
	CHECK_OK(munlockall());
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(mlock(p, 2 * PAGE), ENOMEM);
	CHECK_ERRNO(munlock(p, 2 * PAGE), ENOMEM);
	limit.rlim_cur = limit.rlim_max = 0;
	CHECK_OK(munlockall());
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	CHECK_ERRNO(mlock(p, PAGE), EPERM);
	CHECK_ERRNO(map(NULL, PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0), EPERM);
	CHECK_OK(munmap(p, 4 * PAGE));
}

static void limits(void)
{
	/* A limit far above what is used for the address space, exact for data that comes later. */
	struct rlimit limit = { 256 << 20, RLIM_INFINITY };
	CHECK_OK(setrlimit(RLIMIT_AS, &limit));
	CHECK_ERRNO(map(NULL, 300 << 20, PROT_NONE, PRIVATE, -1, 0), ENOMEM);
	limit.rlim_cur = 64 << 20;
	CHECK_OK(setrlimit(RLIMIT_DATA, &limit));
	CHECK_ERRNO(map(NULL, 65 << 20, RW, PRIVATE, -1, 0), ENOMEM);
	CHECK_OK(map(NULL, 65 << 20, PROT_READ, PRIVATE, -1, 0));
	CHECK_OK(map(NULL, 65 << 20, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	char *p = mmap(NULL, 65 << 20, PROT_READ, PRIVATE, -1, 0);
	CHECK_ERRNO(mprotect(p, 65 << 20, RW), ENOMEM);
	CHECK_OK(munmap(p, 65 << 20));
	char *old = sbrk(0);
	CHECK_ERRNO(sbrk(65 << 20) == (void *)-1 ? -1 : 0, ENOMEM);
	CHECK(sbrk(0) == old);
	CHECK(sbrk(PAGE) == old);
	CHECK_EQ(old[PAGE - 1], 0);
	CHECK(sbrk(-PAGE) == old + PAGE);
}

int main(void)
{
	mapping();
	protection();
	remapping();
	advice();
	in_children();
	synchronizing();
	CHECK_EQ(in_child(locking), 0);
	CHECK_EQ(in_child(limits), 0);
	return check_done();
}
