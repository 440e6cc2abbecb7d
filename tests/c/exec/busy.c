/* A file that is open for writing cannot be executed, in whichever process it is open.
 *
 * @in scratch
 * @expect-failure a program is read before it runs, so nothing forbids writing to its file
 */
#include <sys/stat.h>
#include "process.h"

int main(int argc, char **argv)
{
	char block[65536], *args[] = { "x", "image", NULL };
	ssize_t n;
	struct gate go = gate(), ready = gate();
	if (argc > 1)
		return 40;
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
