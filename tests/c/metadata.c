/* stat, chmod, times, umask and access.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include "check.h"

static struct stat of(const char *path)
{
	struct stat st;
	memset(&st, 0, sizeof st);
	CHECK_OK(lstat(path, &st));
	return st;
}

static void kinds(void)
{
	struct stat st;
	CHECK(S_ISREG(of("file").st_mode));
	CHECK(S_ISDIR(of(".").st_mode));
	CHECK(S_ISLNK(of("link").st_mode));
	CHECK_OK(stat("/dev/null", &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK(major(st.st_rdev) == 1 && minor(st.st_rdev) == 3);
	CHECK_EQ(of("file").st_size, 5);
	CHECK_EQ(of("file").st_nlink, 1);
	CHECK(of("file").st_blksize > 0);
	CHECK_EQ(of("file").st_uid, getuid());
	CHECK_EQ(of("file").st_dev, of(".").st_dev);
	CHECK(of("file").st_ino != of(".").st_ino);
	CHECK_ERRNO(stat("absent", &st), ENOENT);
	CHECK_ERRNO(stat("file/x", &st), ENOTDIR);
	CHECK_ERRNO(stat("", &st), ENOENT);
	CHECK_ERRNO(fstat(77, &st), EBADF);
	CHECK_OK(fstatat(AT_FDCWD, "link", &st, 0));
	CHECK(S_ISREG(st.st_mode));
	CHECK_OK(fstatat(AT_FDCWD, "link", &st, AT_SYMLINK_NOFOLLOW));
	CHECK(S_ISLNK(st.st_mode));
	int fd = open("file", O_RDONLY);
	CHECK_OK(fstatat(fd, "", &st, AT_EMPTY_PATH));
	CHECK_EQ(st.st_size, 5);
	CHECK_OK(close(fd));
	struct statx sx;
	CHECK_OK(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &sx));
	CHECK_EQ(sx.stx_size, 5);
	CHECK(S_ISREG(sx.stx_mode));
}

static void modes(void)
{
	CHECK_OK(chmod("file", 0640));
	CHECK_EQ(of("file").st_mode & 07777, 0640);
	int fd = open("file", O_RDONLY);
	CHECK_OK(fchmod(fd, 0400));
	CHECK_EQ(of("file").st_mode & 07777, 0400);
	CHECK_OK(close(fd));
	CHECK_OK(fchmodat(AT_FDCWD, "file", 0755, 0));
	CHECK_OK(access("file", R_OK | W_OK | X_OK));
	CHECK_OK(chmod("link", 0600));
	CHECK_EQ(of("file").st_mode & 07777, 0600);
	CHECK_ERRNO(access("file", X_OK), EACCES);
	CHECK_ERRNO(access("absent", F_OK), ENOENT);
	CHECK_ERRNO(access("file", 64), EINVAL);
	CHECK_OK(faccessat(AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
	CHECK_ERRNO(chmod("absent", 0600), ENOENT);
	CHECK_ERRNO(fchmod(77, 0600), EBADF);
	CHECK_OK(chown("file", (uid_t)-1, (gid_t)-1));

	mode_t old = umask(027);
	CHECK_EQ(umask(027), 027);
	CHECK_OK(close(open("masked", O_CREAT | O_WRONLY, 0666)));
	CHECK_EQ(of("masked").st_mode & 07777, 0640);
	CHECK_OK(mkdir("masked-dir", 0777));
	CHECK_EQ(of("masked-dir").st_mode & 07777, 0750);
	umask(0);
	CHECK_OK(mkdir("open-dir", 01777));
	CHECK_EQ(of("open-dir").st_mode & 07777, 01777);
	umask(old);
}

static void times(void)
{
	struct timespec set[2] = { { 1000000000, 123456789 }, { 1500000000, 987654321 } };
	CHECK_OK(utimensat(AT_FDCWD, "file", set, 0));
	CHECK_EQ(of("file").st_atim.tv_sec, 1000000000);
	CHECK_EQ(of("file").st_mtim.tv_sec, 1500000000);
	CHECK_EQ(of("file").st_mtim.tv_nsec, 987654321);
	set[0].tv_nsec = UTIME_OMIT;
	set[1].tv_sec = 4102444800;
	set[1].tv_nsec = 0;
	CHECK_OK(utimensat(AT_FDCWD, "file", set, 0));
	CHECK_EQ(of("file").st_atim.tv_sec, 1000000000);
	CHECK_EQ(of("file").st_mtim.tv_sec, 4102444800);
	set[0] = set[1] = (struct timespec){ 7, 0 };
	CHECK_OK(utimensat(AT_FDCWD, "link", set, AT_SYMLINK_NOFOLLOW));
	CHECK_EQ(of("link").st_mtim.tv_sec, 7);
	CHECK_EQ(of("file").st_mtim.tv_sec, 4102444800);
	set[0].tv_nsec = 1000000000;
	CHECK_ERRNO(utimensat(AT_FDCWD, "file", set, 0), EINVAL);
	int fd = open("file", O_RDWR);
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	CHECK_OK(futimens(fd, now));
	time_t age = time(NULL) - of("file").st_mtim.tv_sec;
	CHECK(age >= -1 && age < 60);
	CHECK_OK(close(fd));
	struct utimbuf classic = { 11, 22 };
	CHECK_OK(utime("file", &classic));
	CHECK_EQ(of("file").st_mtime, 22);
	struct timeval micro[2] = { { 33, 500000 }, { 44, 250000 } };
	CHECK_OK(utimes("file", micro));
	CHECK_EQ(of("file").st_mtim.tv_nsec, 250000000);
	CHECK_ERRNO(utime("absent", NULL), ENOENT);
}

static void file_systems(void)
{
	struct statvfs v;
	struct statfs s;
	CHECK_OK(statvfs(".", &v));
	CHECK(v.f_bsize > 0 && v.f_namemax >= 255);
	CHECK_OK(statfs(".", &s));
	CHECK(s.f_bsize > 0);
	CHECK_ERRNO(statvfs("absent", &v), ENOENT);
	CHECK_EQ(pathconf(".", _PC_NAME_MAX), 255);
	CHECK_EQ(pathconf(".", _PC_PATH_MAX), 4096);
}

int main(void)
{
	umask(022);
	int fd = open("file", O_WRONLY | O_CREAT, 0644);
	CHECK_EQ(write(fd, "12345", 5), 5);
	CHECK_OK(close(fd));
	CHECK_OK(symlink("file", "link"));
	kinds();
	modes();
	times();
	file_systems();
	return check_done();
}
