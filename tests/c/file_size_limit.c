/* RLIMIT_FSIZE stops writes: short at the limit, then SIGXFSZ or, when that is ignored, EFBIG.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	char block[1000] = "";
	struct rlimit r = { 1500, 1500 };
	int fd = open("file", O_RDWR | O_CREAT, 0644);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &r));
	CHECK_EQ(write(fd, block, 1000), 1000);
	CHECK_EQ(write(fd, block, 1000), 500);
	CHECK_ERRNO(write(fd, block, 1000), EFBIG);
	CHECK_ERRNO(ftruncate(fd, 2000), EFBIG);
	CHECK_OK(ftruncate(fd, 100));
	return check_done();
}
