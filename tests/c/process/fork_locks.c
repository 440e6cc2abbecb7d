/* Record locks between processes: conflict, wait, wake-up, deadlock, end with the holder or its close.
 *
 * @in scratch
 */
#include "process.h"

static int file;

static int lock(int command, int type, int start, int length)
{
	return fcntl(file, command, &(struct flock){ .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length });
}

int main(void)
{
	struct gate to_child = gate(), to_parent = gate();
	file = open("file", O_RDWR | O_CREAT, 0644);
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(lock(F_SETLK, F_WRLCK, 0, 10));
		CHECK_OK(lock(F_SETLK, F_RDLCK, 20, 10));
		gate_open(&to_parent);
		gate_wait(&to_child);
		CHECK_OK(lock(F_SETLK, F_UNLCK, 0, 5));
		gate_open(&to_parent);
		gate_wait(&to_child);
		finish();
	}
	gate_wait(&to_parent);
	CHECK_ERRNO(lock(F_SETLK, F_RDLCK, 0, 1), EAGAIN);
	CHECK_ERRNO(lock(F_SETLK, F_WRLCK, 9, 100), EAGAIN);
	CHECK_OK(lock(F_SETLK, F_RDLCK, 20, 5));
	CHECK_ERRNO(lock(F_SETLK, F_WRLCK, 20, 5), EAGAIN);
	CHECK_OK(lock(F_SETLK, F_WRLCK, 10, 10));
	struct flock found = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_OK(fcntl(file, F_GETLK, &found));
	CHECK_EQ(found.l_pid, pid);
	CHECK_EQ(found.l_start, 0);
	CHECK_EQ(found.l_len, 10);
	gate_open(&to_child);
	gate_wait(&to_parent);
	CHECK_OK(lock(F_SETLK, F_WRLCK, 0, 5));
	CHECK_ERRNO(lock(F_SETLK, F_WRLCK, 0, 6), EAGAIN);
	gate_open(&to_child);
	/* Waits for the child's end, which drops its locks. */
	CHECK_OK(lock(F_SETLKW, F_WRLCK, 0, 0));
	CHECK_EQ(ended(pid), 0);

	/* Two that wait for each other: one is told. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(lock(F_SETLKW, F_WRLCK, 100, 1));
		gate_open(&to_parent);
		int result = lock(F_SETLKW, F_WRLCK, 0, 1);
		_exit(result == 0 ? 10 : errno == EDEADLK ? 11 : 12);
	}
	CHECK_OK(lock(F_SETLK, F_UNLCK, 50, 0));
	gate_wait(&to_parent);
	int result = lock(F_SETLKW, F_WRLCK, 100, 1), error = errno;
	CHECK_OK(lock(F_SETLK, F_UNLCK, 0, 0));
	int other = ended(pid);
	CHECK((result < 0 && error == EDEADLK && other == 10) || (result == 0 && other == 11));

	/* Closing any descriptor of the file drops the process's locks on it. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(lock(F_SETLK, F_WRLCK, 0, 0));
		int again = open("file", O_RDONLY);
		CHECK_OK(close(again));
		gate_open(&to_parent);
		gate_wait(&to_child);
		finish();
	}
	gate_wait(&to_parent);
	CHECK_OK(lock(F_SETLK, F_WRLCK, 0, 0));
	gate_open(&to_child);
	CHECK_EQ(ended(pid), 0);

	/* Locks of open file descriptions: a child shares them. */
	CHECK_OK(lock(F_SETLK, F_UNLCK, 0, 0));
	CHECK_OK(fcntl(file, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }));
	pid = start();
	if (pid == 0) {
		CHECK_OK(fcntl(file, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }));
		int again = open("file", O_RDWR);
		CHECK_ERRNO(fcntl(again, F_OFD_SETLK, &(struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_SET }), EAGAIN);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
