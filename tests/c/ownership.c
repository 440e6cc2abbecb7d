/* Root gives files to anybody, and everybody sees it; only owners change permissions, owners and times.
 *
 * @in scratch
 * @user root
 */
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include "process.h"

static struct stat of(const char *path)
{
	struct stat st;
	memset(&st, 0, sizeof st);
	CHECK_OK(lstat(path, &st));
	return st;
}

#define CHECK_OWNER(path, uid, gid)                                             \
	do {                                                                    \
		CHECK_EQ(of(path).st_uid, uid);                                 \
		CHECK_EQ(of(path).st_gid, gid);                                 \
	} while (0)
#define CHECK_MODE(path, mode) CHECK_EQ(of(path).st_mode & 07777, mode)

static void touch(const char *path, mode_t mode)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK_OK(close(fd));
	CHECK_OK(chmod(path, mode));
}

static void giving(void)
{
	struct stat st;
	struct statx sx;
	touch("file", 0644);
	CHECK_OWNER("file", 0, 0);
	CHECK_OK(chown("file", 5, 6));
	CHECK_OWNER("file", 5, 6);
	CHECK_OK(chown("file", -1, 7));
	CHECK_OWNER("file", 5, 7);
	CHECK_OK(chown("file", 70000, -1));
	CHECK_OWNER("file", 70000, 7);
	int fd = open("file", O_RDWR);
	CHECK_OK(fchown(fd, 8, 9));
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_uid == 8 && st.st_gid == 9);
	CHECK_OK(fstatat(fd, "", &st, AT_EMPTY_PATH));
	CHECK(st.st_uid == 8 && st.st_gid == 9);
	CHECK_OK(statx(AT_FDCWD, "file", 0, STATX_UID, &sx));
	CHECK(sx.stx_uid == 8 && sx.stx_gid == 9);
	CHECK_OK(fchownat(fd, "", 10, 11, AT_EMPTY_PATH));
	CHECK_OWNER("file", 10, 11);

	/* Other names of it show the same, those of other files do not. */
	CHECK_OK(link("file", "name"));
	CHECK_OWNER("name", 10, 11);
	CHECK_OK(rename("name", "name2"));
	CHECK_OK(unlink("file"));
	CHECK_OWNER("name2", 10, 11);
	CHECK_OK(rename("name2", "name2"));
	CHECK_OWNER("name2", 10, 11);
	touch("other", 0600);
	CHECK_OK(rename("other", "name2"));
	CHECK_OWNER("name2", 0, 0);
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_uid == 10 && st.st_gid == 11 && st.st_nlink == 0);
	CHECK_OK(close(fd));
	CHECK_OK(unlink("name2"));
	for (int i = 0; i < 50; i++) {
		touch("again", 0600);
		CHECK_OWNER("again", 0, 0);
		CHECK_OK(chown("again", 5, 5));
		CHECK_OK(unlink("again"));
	}

	CHECK_OK(mkdir("dir", 0755));
	CHECK_OK(chown("dir", 12, 13));
	CHECK_OWNER("dir", 12, 13);
	CHECK_OK(rmdir("dir"));
	CHECK_OK(symlink("nothing", "link"));
	CHECK_OK(lchown("link", 14, 15));
	CHECK_OWNER("link", 14, 15);
	CHECK_ERRNO(chown("link", 14, 15), ENOENT);
	CHECK_OK(unlink("link"));
	CHECK_OK(mkfifo("fifo", 0600));
	CHECK_OK(chown("fifo", 16, 17));
	CHECK_OWNER("fifo", 16, 17);
	CHECK_OK(unlink("fifo"));
}

static void change_time(void)
{
	struct timespec pause = { 0, 20000000 };
	touch("file", 0644);
	struct timespec before = of("file").st_ctim;
	nanosleep(&pause, NULL);
	CHECK_OK(chown("file", 3, 3));
	struct timespec after = of("file").st_ctim;
	CHECK(after.tv_sec > before.tv_sec || after.tv_nsec > before.tv_nsec);
	CHECK_OK(unlink("file"));
}

static void powers(void)
{
	touch("file", 0755);
	CHECK_OK(chmod("file", 06755));
	CHECK_MODE("file", 06755);
	CHECK_OK(chmod("file", 0755));
	CHECK_MODE("file", 0755);
	int fd = open("file", O_RDONLY);
	CHECK_OK(fchmod(fd, 04711));
	CHECK_MODE("file", 04711);
	CHECK_OK(close(fd));
	/* A change of the owner takes them away, of a file. */
	CHECK_OK(chown("file", 5, 6));
	CHECK_MODE("file", 0711);
	CHECK_OK(chmod("file", 06711));
	CHECK_OK(chown("file", -1, -1));
	CHECK_MODE("file", 0711);
	/* Without the group's right to execute, set-group-ID means something else. */
	CHECK_OK(chmod("file", 02744));
	CHECK_OK(chown("file", 0, 0));
	CHECK_MODE("file", 02744);
	CHECK_OK(unlink("file"));
	CHECK_OK(mkdir("dir", 0755));
	CHECK_OK(chmod("dir", 07755));
	CHECK_OK(chown("dir", 5, 6));
	CHECK_MODE("dir", 07755);
	/* What is made in a set-group-ID directory is its group's. */
	touch("dir/file", 0644);
	CHECK_OWNER("dir/file", 0, 6);
	CHECK_OK(mkdir("dir/dir", 0755));
	CHECK_OWNER("dir/dir", 0, 6);
	CHECK_MODE("dir/dir", 02755);
	CHECK_OK(unlink("dir/file"));
	CHECK_OK(rmdir("dir/dir"));
	CHECK_OK(rmdir("dir"));
	umask(0);
	CHECK_OK(close(open("made", O_CREAT | O_WRONLY, 06755)));
	CHECK_MODE("made", 06755);
	CHECK_OK(unlink("made"));
	CHECK_OK(mknod("made", S_IFREG | 04700, 0));
	CHECK_MODE("made", 04700);
	CHECK_OK(unlink("made"));
	umask(022);
}

static void become(uid_t user, gid_t group, gid_t other)
{
	CHECK_OK(setgroups(1, &other));
	CHECK_OK(setresgid(group, group, group));
	CHECK_OK(setresuid(user, user, user));
}

static void as_user(void)
{
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	become(5, 6, 7);
	/* What a user makes is the user's. */
	touch("mine", 0644);
	CHECK_OWNER("mine", 5, 6);
	CHECK_OK(close(open("mine", O_CREAT | O_RDWR, 0600)));
	CHECK_OWNER("mine", 5, 6);
	CHECK_OK(mkdir("mine.d", 0755));
	CHECK_OWNER("mine.d", 5, 6);
	CHECK_OK(symlink("x", "mine.l"));
	CHECK_OWNER("mine.l", 5, 6);
	CHECK_OK(mkfifo("mine.f", 0600));
	CHECK_OWNER("mine.f", 5, 6);
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "mine.s" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(bind(s, (struct sockaddr *)&address, sizeof address));
	CHECK_OWNER("mine.s", 5, 6);
	CHECK_OK(close(s));
	struct stat st;
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0) {
		CHECK_OK(fstat(fd, &st));
		CHECK(st.st_uid == 5 && st.st_gid == 6);
		CHECK_OK(close(fd));
	}

	/* Nothing can be given away but to groups of the user's. */
	CHECK_ERRNO(chown("mine", 0, -1), EPERM);
	CHECK_ERRNO(chown("mine", 5, 8), EPERM);
	CHECK_OK(chown("mine", 5, -1));
	CHECK_OK(chown("mine", -1, 7));
	CHECK_OWNER("mine", 5, 7);
	CHECK_OK(chmod("mine", 06755));
	CHECK_MODE("mine", 06755);
	CHECK_OK(chown("mine", -1, 6));
	CHECK_MODE("mine", 0755);
	CHECK_OK(utimensat(AT_FDCWD, "mine", times, 0));

	/* What is somebody else's stays as it is. */
	CHECK_ERRNO(chmod("roots", 0600), EPERM);
	CHECK_ERRNO(chown("roots", 5, -1), EPERM);
	CHECK_ERRNO(chown("roots", -1, 6), EPERM);
	CHECK_OK(chown("roots", -1, -1));
	CHECK_ERRNO(utimensat(AT_FDCWD, "roots", times, 0), EPERM);
	CHECK_OK(utimensat(AT_FDCWD, "roots", NULL, 0));
	/* Set-group-ID is for members. */
	CHECK_OK(chmod("strange", 02755));
	CHECK_MODE("strange", 0755);
}

static void devices(void)
{
	/* Whether root may make devices is the container's business; a guest's never does. */
	if (mknod("device", S_IFCHR | 0600, makedev(1, 3)) < 0)
		CHECK_EQ(errno, EPERM);
	unlink("device");
}

int main(void)
{
	umask(022);
	CHECK_OK(chmod(".", 0777));
	giving();
	change_time();
	powers();
	devices();
	touch("roots", 0666);
	touch("strange", 0755);
	CHECK_OK(chown("strange", 5, 99));
	CHECK_EQ(in_child(as_user), 0);
	CHECK_OWNER("mine", 5, 6);
	CHECK_OK(chmod("mine", 0600));
	CHECK_OK(chown("mine", 0, 0));
	CHECK_OWNER("mine", 0, 0);
	return check_done();
}
