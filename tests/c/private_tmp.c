/* /tmp is there, empty enough to work in, and keeps files while the program runs.
 *
 * @in chroot
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	char name[] = "/tmp/XXXXXX";
	mkdir("/tmp", 01777);
	int fd = mkstemp(name);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, "kept", 4), 4);
	CHECK_OK(close(fd));
	struct stat st;
	CHECK_OK(stat(name, &st));
	CHECK_EQ(st.st_size, 4);
	FILE *f = tmpfile();
	CHECK(f != NULL && fputs("scratch", f) >= 0);
	CHECK_OK(unlink(name));
	return check_done();
}
