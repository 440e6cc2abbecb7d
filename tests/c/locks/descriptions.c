/* Locks of open file descriptions and of flock: kept by duplicates and children, waited for, in each other's way.
 *
 * @in scratch
 */
#include <sys/file.h>
#include "../interrupt.h"

static struct flock range(short type, long start, long length)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
}

static int lock(int fd, int command, short type, long start, long length)
{
	struct flock lock = range(type, start, length);
	return fcntl(fd, command, &lock);
}

static int file(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK_OK(fd);
	return fd;
}

static void descriptions(void)
{
	int one = file(), two = file();
	CHECK_OK(lock(one, F_OFD_SETLK, F_WRLCK, 0, 10));
	CHECK_ERRNO(lock(two, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
	CHECK_ERRNO(lock(two, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
	CHECK_OK(lock(two, F_OFD_SETLK, F_WRLCK, 10, 10));
	CHECK_ERRNO(lock(one, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
	struct flock found = range(F_WRLCK, 0, 0);
	CHECK_OK(fcntl(two, F_OFD_GETLK, &found));
	CHECK(found.l_type == F_WRLCK && found.l_start == 0 && found.l_len == 10 && found.l_pid == -1);
	found = range(F_WRLCK, 0, 10);
	CHECK_OK(fcntl(one, F_OFD_GETLK, &found));
	CHECK_EQ(found.l_type, F_UNLCK);
	found.l_pid = 1;
	CHECK_ERRNO(fcntl(one, F_OFD_SETLK, &found), EINVAL);
	CHECK_ERRNO(fcntl(one, F_OFD_GETLK, &found), EINVAL);

	/* A record lock names its process to others. */
	CHECK_OK(lock(one, F_SETLK, F_RDLCK, 100, 5));
	found = range(F_WRLCK, 100, 1);
	CHECK_OK(fcntl(one, F_OFD_GETLK, &found));
	CHECK(found.l_type == F_RDLCK && found.l_start == 100 && found.l_len == 5);
	CHECK_EQ(found.l_pid, getpid());

	/* Shared by duplicates and children, gone with the last of them; closing another does not matter. */
	int copy = dup(one);
	struct gate leave = gate();
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(lock(copy, F_OFD_SETLK, F_WRLCK, 0, 5));
		gate_wait(&leave);
		finish();
	}
	close(file());
	close(one);
	CHECK_ERRNO(lock(two, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
	close(copy);
	CHECK_ERRNO(lock(two, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
	gate_open(&leave);
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(lock(two, F_OFD_SETLK, F_RDLCK, 0, 1));

	/* Waited for. */
	pid = start();
	if (pid == 0) {
		int own = file();
		close(two);
		CHECK_OK(lock(own, F_OFD_SETLKW, F_WRLCK, 0, 0));
		finish();
	}
	sleep_ms(30);
	close(two);
	CHECK_EQ(ended(pid), 0);
	gate_close(&leave);
}

static void nothing(int signo)
{
	(void)signo;
}

static void flocks(void)
{
	int one = file(), two = file();
	CHECK_OK(flock(one, LOCK_SH));
	CHECK_OK(flock(two, LOCK_SH | LOCK_NB));
	CHECK_ERRNO(flock(one, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(flock(two, LOCK_UN));
	CHECK_OK(flock(one, LOCK_EX | LOCK_NB));
	CHECK_ERRNO(flock(two, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK_ERRNO(flock(two, 0), EINVAL);
	CHECK_ERRNO(flock(two, LOCK_SH | LOCK_EX), EINVAL);
	CHECK_ERRNO(flock(-1, LOCK_SH), EBADF);
	/* Record locks are another matter. */
	CHECK_OK(lock(two, F_SETLK, F_WRLCK, 0, 0));
	pid_t pid = start();
	if (pid == 0) {
		/* The same description: no conflict, and giving it up is for all. */
		CHECK_OK(flock(one, LOCK_SH | LOCK_NB));
		CHECK_OK(flock(one, LOCK_UN));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(flock(two, LOCK_EX | LOCK_NB));
	struct gate next = gate();
	handle(SIGUSR1, nothing, 0);
	pid = start();
	if (pid == 0) {
		int own = open("file", O_RDONLY);
		CHECK_ERRNO(flock(own, LOCK_EX), EINTR);
		handle(SIGUSR1, nothing, SA_RESTART);
		close(two);
		gate_open(&next);
		CHECK_OK(flock(own, LOCK_EX));
		finish();
	}
	signal_until(pid, SIGUSR1, &next);
	sleep_ms(50);
	kill(pid, SIGUSR1);
	sleep_ms(30);
	int copy = dup(two);
	close(two);
	sleep_ms(20);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	close(copy);
	CHECK_EQ(ended(pid), 0);
	close(one);
}

/* A lock that was taken for reading becomes one for writing, by another descriptor. */
static void both_modes(void)
{
	int reader = open("file", O_RDONLY), writer = open("file", O_WRONLY);
	CHECK_OK(lock(reader, F_SETLK, F_RDLCK, 0, 10));
	CHECK_ERRNO(lock(reader, F_SETLK, F_WRLCK, 0, 10), EBADF);
	CHECK_ERRNO(lock(writer, F_SETLK, F_RDLCK, 0, 10), EBADF);
	CHECK_OK(lock(writer, F_SETLK, F_WRLCK, 0, 10));
	CHECK_OK(lock(reader, F_SETLK, F_RDLCK, 20, 1));
	pid_t pid = start();
	if (pid == 0) {
		int own = file();
		CHECK_ERRNO(lock(own, F_SETLK, F_RDLCK, 0, 1), EAGAIN);
		CHECK_OK(lock(own, F_SETLK, F_RDLCK, 20, 1));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	close(reader);
	close(writer);
}

int main(void)
{
	descriptions();
	flocks();
	both_modes();
	return check_done();
}
