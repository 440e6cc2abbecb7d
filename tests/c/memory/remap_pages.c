/* remap_file_pages: the pages of a shared mapping in another order; protection keys where there are none.
 *
 * @in scratch
 * @cflags -w
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../check.h"

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE };

static void pages(void)
{
	char block[PAGE];
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < 4; i++) {
		memset(block, 'a' + i, sizeof block);
		CHECK_EQ(write(fd, block, sizeof block), PAGE);
	}
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK_OK(remap_file_pages(p, PAGE, 0, 3, 0));
	CHECK_OK(remap_file_pages(p + 3 * PAGE, PAGE, 0, 0, MAP_NONBLOCK));
	CHECK(p[0] == 'd' && p[PAGE] == 'b' && p[2 * PAGE] == 'c' && p[3 * PAGE] == 'a');
	p[0] = 'D';
	CHECK_EQ(pread(fd, block, 1, 3 * PAGE), 1);
	CHECK_EQ(block[0], 'D');
	/* Several parts of one file are one range. */
	CHECK_OK(remap_file_pages(p, 4 * PAGE, 0, 0, 0));
	CHECK(p[0] == 'a' && p[PAGE] == 'b' && p[2 * PAGE] == 'c' && p[3 * PAGE] == 'D');
	CHECK_ERRNO(remap_file_pages(p, PAGE, PROT_READ, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(p, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(private, PAGE, 0, 0, 0), EINVAL);
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERRNO(remap_file_pages(p, 4 * PAGE, 0, 0, 0), EINVAL);
	CHECK_ERRNO(remap_file_pages(p + PAGE, PAGE, 0, 0, 0), EINVAL);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	p[0] = '0';
	p[PAGE] = '1';
	CHECK_OK(remap_file_pages(p, PAGE, 0, 1, 0));
	CHECK(p[0] == '1' && p[PAGE] == '1');
}

/* The key -1 is no key; the other calls fail at once with these arguments, whatever the processor has. */
static void keys(void)
{
	char *p = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_OK(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, -1));
	CHECK_OK(pkey_mprotect(p, PAGE, RW, -1));
	p[0] = 1;
	CHECK_ERRNO(pkey_mprotect(p + 1, PAGE, PROT_READ, -1), EINVAL);
	CHECK_ERRNO(pkey_mprotect(p, PAGE, PROT_READ, 99), EINVAL);
	CHECK_ERRNO(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_pkey_alloc, 0, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_pkey_free, 99), EINVAL);
}

int main(void)
{
	pages();
	keys();
	return check_done();
}
