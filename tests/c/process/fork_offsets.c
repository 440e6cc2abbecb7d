/* Open file descriptions are shared after a fork, descriptors are not.
 *
 * @in scratch
 */
#include <sys/file.h>
#include "process.h"

int main(void)
{
	char text[32] = "";
	int file = open("file", O_RDWR | O_CREAT, 0644), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct gate to_child = gate(), to_parent = gate();
	CHECK_EQ(write(file, "0123456789", 10), 10);
	CHECK_EQ(lseek(file, 2, SEEK_SET), 2);
	int copy = dup(file);
	pid_t pid = start();
	if (pid == 0) {
		/* Close-on-exec means nothing to fork, and the flag is inherited. */
		CHECK_EQ(fcntl(closed, F_GETFD), FD_CLOEXEC);
		CHECK_EQ(read(file, text, 3), 3);
		CHECK_STR(text, "234");
		/* Flags of the description are shared, those of the descriptor are not. */
		CHECK_OK(fcntl(file, F_SETFL, O_APPEND));
		CHECK_OK(fcntl(file, F_SETFD, FD_CLOEXEC));
		CHECK_OK(close(closed));
		CHECK_EQ(open("/dev/zero", O_RDONLY), closed);
		CHECK_ERRNO(flock(copy, LOCK_EX | LOCK_NB | 64), EINVAL);
		CHECK_OK(flock(copy, LOCK_EX));
		gate_open(&to_parent);
		gate_wait(&to_child);
		CHECK_EQ(lseek(copy, 0, SEEK_CUR), 7);
		CHECK_OK(close(file));
		CHECK_OK(close(copy));
		finish();
	}
	gate_wait(&to_parent);
	CHECK_EQ(lseek(copy, 0, SEEK_CUR), 5);
	CHECK(fcntl(copy, F_GETFL) & O_APPEND);
	CHECK_EQ(fcntl(file, F_GETFD), 0);
	CHECK_EQ(fcntl(closed, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(closed, text, 1), 0);
	/* flock belongs to the description: the parent has it as well; another description has not. */
	CHECK_OK(flock(file, LOCK_EX | LOCK_NB));
	int other = open("file", O_RDWR);
	CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_EQ(lseek(file, 2, SEEK_CUR), 7);
	gate_open(&to_child);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(lseek(file, 0, SEEK_CUR), 7);
	CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(close(file));
	CHECK_OK(close(copy));
	CHECK_OK(flock(other, LOCK_EX | LOCK_NB));

	/* 10 writers with one offset lose nothing; a pipe ends when the last writer is gone. */
	int ends[2];
	CHECK_OK(pipe(ends));
	CHECK_OK(ftruncate(other, 0));
	CHECK_OK(lseek(other, 0, SEEK_SET));
	pid_t pids[10];
	for (int i = 0; i < 10; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			close(ends[0]);
			for (int k = 0; k < 50; k++)
				CHECK_EQ(write(other, "abcdefgh", 8), 8);
			finish();
		}
	}
	close(ends[1]);
	CHECK_EQ(read(ends[0], text, 1), 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(ended(pids[i]), 0);
	CHECK_EQ(lseek(other, 0, SEEK_CUR), 4000);
	CHECK_EQ(lseek(other, 0, SEEK_END), 4000);
	return check_done();
}
