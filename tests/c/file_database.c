/* A small record file written, closed, reopened, changed in place and compacted: what databases do.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

struct record { uint32_t id, length; char text[56]; };

static struct record made(uint32_t id)
{
	struct record r = { id, 0, "" };
	r.length = (uint32_t)snprintf(r.text, sizeof r.text, "record number %u", id);
	return r;
}

int main(void)
{
	struct stat st;
	struct record r;
	int fd = open("db", O_RDWR | O_CREAT | O_EXCL, 0644);
	for (uint32_t i = 0; i < 2000; i++) {
		r = made(i);
		CHECK_EQ(write(fd, &r, sizeof r), 64);
	}
	CHECK_OK(fsync(fd));
	CHECK_OK(close(fd));
	fd = open("db", O_RDWR);
	for (uint32_t i = 1; i < 2000; i += 2) {
		CHECK_EQ(pread(fd, &r, sizeof r, i * 64), 64);
		CHECK_EQ(r.id, i);
		r.id = 0;
		CHECK_EQ(pwrite(fd, &r, sizeof r, i * 64), 64);
	}
	int copy = open("db.new", O_RDWR | O_CREAT | O_TRUNC, 0644);
	for (uint32_t i = 0; i < 2000; i++) {
		CHECK_EQ(read(fd, &r, sizeof r), 64);
		if (r.id || i == 0)
			CHECK_EQ(write(copy, &r, sizeof r), 64);
	}
	CHECK_OK(close(fd));
	CHECK_OK(fdatasync(copy));
	CHECK_OK(close(copy));
	CHECK_OK(rename("db.new", "db"));
	CHECK_OK(stat("db", &st));
	CHECK_EQ(st.st_size, 64000);
	fd = open("db", O_RDONLY);
	uint32_t sum = 0;
	while (read(fd, &r, sizeof r) == 64)
		sum += r.id + r.length;
	printf("%u\n", sum);
	CHECK_OK(close(fd));
	return check_done();
}
