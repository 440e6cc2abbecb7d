/* Memory after a fork: private in both directions, shared mappings shared, protections and special areas kept.
 *
 * @opt -O0 -O1 -O2 -O3 -Os -Oz
 * @fork-checks
 * @in scratch
 */
#include <setjmp.h>
#include <sys/mman.h>
#include "process.h"

enum { SIZE = 1 << 20 };

static char data[] = "data", bss[SIZE];
static __thread char local[] = "local";

static char *map(int flags, int fd)
{
	char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static void all_are(char *const *areas, int count, char expected)
{
	for (int i = 0; i < count; i++) {
		CHECK_EQ(areas[i][0], expected);
		CHECK_EQ(areas[i][SIZE / 2 + i], expected);
		CHECK_EQ(areas[i][SIZE - 1], expected);
	}
}

static void set_all(char *const *areas, int count, char value)
{
	for (int i = 0; i < count; i++)
		memset(areas[i], value, SIZE);
}

int main(void)
{
	int file = open("file", O_RDWR | O_CREAT, 0644);
	CHECK_OK(ftruncate(file, SIZE));
	char *heap = malloc(SIZE), *broken = sbrk(SIZE);
	char *private[] = { bss, heap, broken, map(MAP_PRIVATE | MAP_ANONYMOUS, -1), map(MAP_PRIVATE, file) };
	char *shared[] = { map(MAP_SHARED | MAP_ANONYMOUS, -1), map(MAP_SHARED, file) };
	struct gate to_child = gate(), to_parent = gate();
	set_all(private, 5, 'a');
	set_all(shared, 2, 'a');
	pid_t pid = start();
	if (pid == 0) {
		all_are(private, 5, 'a');
		set_all(private, 5, 'c');
		strcpy(data, "cccc");
		strcpy(local, "ccccc");
		gate_open(&to_parent);
		gate_wait(&to_child);
		all_are(private, 5, 'c');
		CHECK_STR(data, "cccc");
		all_are(shared, 2, 'p');
		set_all(shared, 2, 'd');
		/* A mapping that is gone here is there in the parent. */
		CHECK_OK(munmap(shared[0], SIZE));
		CHECK_OK(munmap(private[3], SIZE));
		CHECK(sbrk(-4096) != (void *)-1);
		gate_open(&to_parent);
		finish();
	}
	gate_wait(&to_parent);
	all_are(private, 5, 'a');
	set_all(private, 5, 'p');
	set_all(shared, 2, 'p');
	CHECK_STR(data, "data");
	CHECK_STR(local, "local");
	gate_open(&to_child);
	gate_wait(&to_parent);
	CHECK_EQ(ended(pid), 0);
	all_are(shared, 2, 'd');
	all_are(private, 5, 'p');

	/* Protections are kept; they are each process's own after that. */
	CHECK_OK(mprotect(private[3], SIZE / 2, PROT_NONE));
	CHECK_OK(mprotect(private[3] + SIZE / 2, SIZE / 2, PROT_READ));
	pid = start();
	if (pid == 0) {
		volatile char *at = private[3];
		CHECK_EQ(at[SIZE / 2], 'p');
		pid_t inner = start();
		if (inner == 0)
			_exit(at[0]);
		CHECK_EQ(ended(inner), 128 + SIGSEGV);
		inner = start();
		if (inner == 0) {
			at[SIZE - 1] = 1;
			_exit(0);
		}
		CHECK_EQ(ended(inner), 128 + SIGSEGV);
		CHECK_OK(mprotect(private[3], SIZE, PROT_READ | PROT_WRITE));
		CHECK_EQ(at[0], 'p');
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_ERRNO(write(to_child.end[1], private[3], 1), EFAULT);

	/* Not for children at all, or only as zeros. */
	char *none = map(MAP_PRIVATE | MAP_ANONYMOUS, -1), *zero = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	none[0] = zero[0] = 'z';
	CHECK_OK(madvise(none, SIZE, MADV_DONTFORK));
	CHECK_OK(madvise(zero, SIZE, MADV_WIPEONFORK));
	pid = start();
	if (pid == 0) {
		CHECK_ERRNO(write(to_child.end[1], none, 1), EFAULT);
		CHECK_EQ(zero[0], 0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK(none[0] == 'z' && zero[0] == 'z');
	return check_done();
}
