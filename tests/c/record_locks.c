/* Record locks and flock as one process sees them.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	int a = open("file", O_RDWR | O_CREAT, 0644), b = open("file", O_RDWR);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5 };
	CHECK_OK(fcntl(a, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_OK(fcntl(b, F_GETLK, &lock));
	CHECK_EQ(lock.l_type, F_UNLCK);
	CHECK_OK(fcntl(b, F_SETLKW, &(struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_SET }));
	CHECK_OK(fcntl(a, F_SETLK, &(struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET }));
	CHECK_ERRNO(fcntl(a, F_SETLK, &(struct flock){ .l_type = 77 }), EINVAL);
	CHECK_ERRNO(fcntl(77, F_SETLK, &lock), EBADF);
	CHECK_OK(flock(a, LOCK_EX));
	CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_OK(flock(a, LOCK_UN));
	CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
	CHECK_OK(flock(a, LOCK_SH | LOCK_NB));
	CHECK_OK(lockf(a, F_TLOCK, 10));
	CHECK_OK(lockf(a, F_ULOCK, 10));
	return check_done();
}
