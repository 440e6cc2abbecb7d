/* statfs and statvfs of directories, pipes, memory files, /proc and /dev/shm.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "check.h"

static long kind(const char *path)
{
	struct statfs fs;
	memset(&fs, 0, sizeof fs);
	return statfs(path, &fs) < 0 ? -errno : (long)fs.f_type;
}

static long kind_of(int fd)
{
	struct statfs fs;
	memset(&fs, 0, sizeof fs);
	return fstatfs(fd, &fs) < 0 ? -errno : (long)fs.f_type;
}

int main(void)
{
	struct statfs fs, same;
	struct statvfs vfs;
	CHECK_OK(statfs(".", &fs));
	printf("type %#lx, names up to %ld, blocks of %ld, fragments of %ld\n", (long)fs.f_type, (long)fs.f_namelen,
	       (long)fs.f_bsize, (long)fs.f_frsize);
	CHECK(fs.f_blocks >= fs.f_bfree && fs.f_bfree >= fs.f_bavail);
	CHECK(fs.f_files >= fs.f_ffree);
	int fd = open("file", O_RDWR | O_CREAT, 0600), directory = open(".", O_RDONLY), end[2];
	CHECK_OK(fstatfs(fd, &same));
	CHECK(same.f_type == fs.f_type && same.f_blocks == fs.f_blocks && same.f_bsize == fs.f_bsize);
	CHECK(memcmp(&same.f_fsid, &fs.f_fsid, sizeof fs.f_fsid) == 0);
	CHECK_EQ(kind_of(directory), fs.f_type);
	CHECK_EQ(kind("file"), fs.f_type);
	CHECK_OK(statvfs("file", &vfs));
	CHECK(vfs.f_bsize == (unsigned long)fs.f_bsize && vfs.f_blocks == fs.f_blocks && vfs.f_namemax == (unsigned long)fs.f_namelen);
	CHECK_EQ(vfs.f_flag & ST_RDONLY, 0);
	int path = open("file", O_PATH);
	CHECK_EQ(kind_of(path), fs.f_type);

	CHECK_OK(pipe(end));
	CHECK_EQ(kind_of(end[0]), 0x50495045);
	CHECK_EQ(kind_of(memfd_create("memory", 0)), 0x01021994);
	CHECK_EQ(kind_of(eventfd(0, 0)), 0x09041934);
	CHECK_EQ(kind("/proc"), 0x9fa0);
	CHECK_EQ(kind("/proc/self/status"), 0x9fa0);
	CHECK_EQ(kind("/dev/shm"), 0x01021994);

	CHECK_EQ(kind("absent"), -ENOENT);
	CHECK_EQ(kind("file/below"), -ENOTDIR);
	CHECK_EQ(kind(""), -ENOENT);
	CHECK_EQ(kind_of(-1), -EBADF);
	CHECK_EQ(kind_of(99), -EBADF);
	CHECK_ERRNO(statfs((char *)8, &fs), EFAULT);
	CHECK_ERRNO(statfs(".", (struct statfs *)8), EFAULT);
	CHECK_ERRNO(fstatfs(fd, (struct statfs *)8), EFAULT);
	return check_done();
}
