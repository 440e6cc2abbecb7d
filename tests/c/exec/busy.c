/* A file that is open for writing cannot be executed, in whichever process it is open, and one that is
 * executed cannot be opened for writing.
 *
 * @in scratch
 */
#include <sys/stat.h>
#include "process.h"

int main(int argc, char **argv)
{
	char block[65536], *args[] = { "x", "image", NULL };
	ssize_t n;
	struct gate go = gate(), ready = gate();
	if (argc > 1) {
		CHECK_ERRNO(open("copy", O_WRONLY | O_TRUNC), ETXTBSY);
		CHECK_ERRNO(open("copy", O_RDWR | O_CREAT, 0755), ETXTBSY);
		CHECK_ERRNO(truncate("copy", 0), ETXTBSY);
		int self = open("copy", O_RDONLY);
		CHECK_OK(self);
		CHECK(lseek(self, 0, SEEK_END) > 0);
		CHECK_OK(unlink("copy"));
		/* Another file of that name. */
		CHECK_OK(open("copy", O_WRONLY | O_CREAT | O_EXCL, 0755));
		return check_done() ? 41 : 40;
	}
	int in = open(argv[0], O_RDONLY), copy = open("copy", O_RDWR | O_CREAT, 0755);
	while ((n = read(in, block, sizeof block)) > 0)
		CHECK_EQ(write(copy, block, (size_t)n), n);
	CHECK_ERRNO(execv("copy", args), ETXTBSY);
	CHECK_ERRNO(execve("copy", args, args), ETXTBSY);
	pid_t pid = start();
	if (pid == 0) {
		gate_open(&ready);
		gate_wait(&go);
		_exit(0);
	}
	gate_wait(&ready);
	CHECK_OK(close(copy));
	CHECK_ERRNO(execv("copy", args), ETXTBSY);
	gate_open(&go);
	CHECK_EQ(ended(pid), 0);
	pid = start();
	if (pid == 0) {
		execv("copy", args);
		finish();
	}
	CHECK_EQ(ended(pid), 40);
	return check_done();
}
