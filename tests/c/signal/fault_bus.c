/* SIGBUS: an access to a mapping beyond the end of its file.
 *
 * @in scratch
 */
#include <setjmp.h>
#include <sys/mman.h>
#include "process.h"

static sigjmp_buf point;

static void on_fault(int signo)
{
	siglongjmp(point, signo);
}

int main(void)
{
	int file = open("file", O_RDWR | O_CREAT, 0644);
	volatile int sink;
	CHECK_OK(ftruncate(file, 100));
	char *map = mmap(NULL, 4 * 65536, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK_OK(handle(SIGBUS, on_fault, 0));
	CHECK_OK(handle(SIGSEGV, on_fault, 0));
	CHECK_EQ(map[50], 0);
	int signo = sigsetjmp(point, 1);
	if (signo == 0)
		sink = map[2 * 65536];
	CHECK_EQ(signo, SIGBUS);
	CHECK_OK(ftruncate(file, 4 * 65536));
	CHECK_EQ(map[2 * 65536], 0);
	CHECK_OK(ftruncate(file, 0));
	signo = sigsetjmp(point, 1);
	if (signo == 0)
		map[0] = 1;
	CHECK_EQ(signo, SIGBUS);
	/* A system call says EFAULT. */
	int ends[2];
	CHECK_OK(pipe(ends));
	CHECK_ERRNO(write(ends[1], map, 10), EFAULT);
	pid_t pid = start();
	if (pid == 0) {
		signal(SIGBUS, SIG_DFL);
		sink = map[0];
		_exit(0);
	}
	CHECK_EQ(ended(pid), 128 + SIGBUS);
	(void)sink;
	return check_done();
}
