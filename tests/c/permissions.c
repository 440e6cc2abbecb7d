/* What a user may do with the files of others, who owns them and what their modes say.
 *
 * @in scratch
 * @user root
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include "process.h"

enum { OWNER = 71, MEMBER = 72, OTHER = 73, GROUP = 74 };

static void fill(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "text", 4), 4);
	CHECK_OK(close(fd));
	CHECK_OK(chown(path, OWNER, GROUP));
	CHECK_OK(chmod(path, mode));
}

static void dir(const char *path, uid_t owner, mode_t mode)
{
	CHECK_OK(mkdir(path, 0700));
	CHECK_OK(chown(path, owner, GROUP));
	CHECK_OK(chmod(path, mode));
}

static void become(uid_t user)
{
	gid_t groups[] = { GROUP };
	CHECK_OK(setgroups(user == MEMBER, groups));
	CHECK_OK(setgid(user));
	CHECK_OK(setuid(user));
}

/* Runs the body as a user, in a child. */
#define AS(user, ...)                                                           \
	do {                                                                    \
		pid_t pid = start();                                            \
		if (pid == 0) {                                                 \
			become(user);                                           \
			__VA_ARGS__;                                            \
			finish();                                               \
		}                                                               \
		CHECK_EQ(ended(pid), 0);                                        \
	} while (0)

/* 0, or the error of opening a path; the file is closed. */
static int opened(const char *path, int flags)
{
	int fd = open(path, flags, 0666);
	if (fd < 0)
		return errno;
	CHECK_OK(close(fd));
	return 0;
}

static void opening(void)
{
	fill("0640", 0640);
	fill("0604", 0604);
	fill("0420", 0420);
	fill("0000", 0000);
	AS(OWNER,
	   CHECK_EQ(opened("0640", O_RDWR), 0);
	   CHECK_EQ(opened("0604", O_RDWR), 0);
	   CHECK_EQ(opened("0420", O_RDONLY), 0);
	   CHECK_EQ(opened("0420", O_WRONLY), EACCES);
	   CHECK_EQ(opened("0420", O_RDONLY | O_TRUNC), EACCES);
	   CHECK_EQ(opened("0000", O_RDONLY), EACCES);
	   CHECK_EQ(opened("0000", O_PATH), 0);
	   CHECK_EQ(opened("0420", O_RDONLY | O_NOATIME), 0));
	AS(MEMBER,
	   CHECK_EQ(opened("0640", O_RDONLY), 0);
	   CHECK_EQ(opened("0640", O_RDWR), EACCES);
	   CHECK_EQ(opened("0604", O_RDONLY), EACCES);
	   CHECK_EQ(opened("0420", O_WRONLY), 0);
	   CHECK_EQ(opened("0420", O_WRONLY | O_CREAT), 0);
	   CHECK_EQ(opened("0640", O_RDONLY | O_NOATIME), EPERM));
	AS(OTHER,
	   CHECK_EQ(opened("0640", O_RDONLY), EACCES);
	   CHECK_EQ(opened("0604", O_RDONLY), 0);
	   CHECK_EQ(opened("0604", O_WRONLY | O_APPEND), EACCES);
	   CHECK_EQ(opened("0604", O_RDONLY | O_CREAT | O_EXCL), EEXIST);
	   CHECK_EQ(opened("0640", O_RDONLY | O_CREAT), EACCES);
	   CHECK_EQ(opened("0420", O_RDWR), EACCES);
	   CHECK_ERRNO(truncate("0640", 0), EACCES);
	   CHECK_ERRNO(truncate("0604", 0), EACCES));
	/* A descriptor keeps what it was opened for; opening it once more does not. */
	int fd = open("0640", O_RDWR);
	AS(OTHER,
	   char byte, again[40];
	   CHECK_EQ(pread(fd, &byte, 1, 0), 1);
	   CHECK_EQ(pwrite(fd, "T", 1, 0), 1);
	   sprintf(again, "/proc/self/fd/%d", fd);
	   CHECK_EQ(opened(again, O_RDONLY), EACCES));
	CHECK_OK(close(fd));
	/* Root is not asked. */
	CHECK_EQ(opened("0000", O_RDWR), 0);
}

static void asking(void)
{
	struct stat st;
	AS(OTHER,
	   CHECK_OK(access("0640", F_OK));
	   CHECK_ERRNO(access("0640", R_OK), EACCES);
	   CHECK_OK(access("0604", R_OK));
	   CHECK_ERRNO(access("0604", W_OK), EACCES);
	   CHECK_ERRNO(access("0604", X_OK), EACCES);
	   CHECK_OK(stat("0000", &st));
	   CHECK_EQ(st.st_uid, OWNER));
	pid_t pid = start();
	if (pid == 0) {
		/* access asks for the real user, faccessat with AT_EACCESS for the one in force. */
		CHECK_OK(setgroups(0, NULL));
		CHECK_OK(setresuid(OTHER, 0, 0));
		CHECK_ERRNO(access("0640", R_OK), EACCES);
		CHECK_OK(faccessat(AT_FDCWD, "0640", R_OK, AT_EACCESS));
		CHECK_EQ(opened("0640", O_RDONLY), 0);
		CHECK_OK(setresuid(0, OTHER, 0));
		CHECK_OK(access("0640", R_OK));
		CHECK_EQ(opened("0640", O_RDONLY), EACCES);
		CHECK_OK(seteuid(0));
		CHECK_EQ(opened("0640", O_RDONLY), 0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
}

static void walking(void)
{
	struct stat st;
	char text[8];
	dir("closed", OWNER, 0750);
	dir("closed/in", OWNER, 0755);
	fill("closed/in/file", 0666);
	CHECK_OK(symlink("in/file", "closed/link"));
	CHECK_OK(symlink("closed/in/file", "way"));
	dir("blind", OWNER, 0711);
	fill("blind/file", 0644);
	dir("names", OWNER, 0744);
	fill("names/file", 0644);
	AS(MEMBER,
	   CHECK_EQ(opened("closed/in/file", O_RDWR), 0);
	   CHECK_EQ(opened("closed/link", O_RDONLY), 0));
	int inside = open("closed/in", O_RDONLY | O_DIRECTORY);
	AS(OTHER,
	   CHECK_EQ(opened("closed/in/file", O_RDONLY), EACCES);
	   CHECK_EQ(opened("closed/none", O_RDONLY), EACCES);
	   CHECK_EQ(opened("closed/link", O_RDONLY), EACCES);
	   CHECK_EQ(opened("way", O_RDONLY), EACCES);
	   CHECK_ERRNO(stat("closed/in", &st), EACCES);
	   CHECK_ERRNO(lstat("closed/link", &st), EACCES);
	   CHECK_ERRNO(readlink("closed/link", text, sizeof text), EACCES);
	   CHECK_OK(stat("closed", &st));
	   CHECK_ERRNO(stat("closed/.", &st), EACCES);
	   CHECK_ERRNO(stat("closed/../0604", &st), EACCES);
	   CHECK_OK(stat("closed/", &st));
	   CHECK_ERRNO(chdir("closed"), EACCES);
	   CHECK_OK(fstatat(inside, "file", &st, 0));
	   CHECK_EQ(opened("closed", O_RDONLY | O_DIRECTORY), EACCES);
	   CHECK_EQ(opened("blind", O_RDONLY), EACCES);
	   CHECK_EQ(opened("blind/file", O_RDONLY), 0);
	   CHECK_OK(chdir("blind"));
	   CHECK_OK(chdir(".."));
	   CHECK_EQ(opened("names", O_RDONLY), 0);
	   CHECK_EQ(opened("names/file", O_RDONLY), EACCES);
	   CHECK_ERRNO(stat("names/file", &st), EACCES);
	   int names = open("names", O_RDONLY);
	   CHECK_ERRNO(fchdir(names), EACCES);
	   DIR *stream = fdopendir(names);
	   CHECK(stream != NULL && readdir(stream) != NULL);
	   CHECK_OK(closedir(stream)));
	CHECK_OK(close(inside));
}

static void naming(void)
{
	struct stat st;
	struct sockaddr_un address = { AF_UNIX, "ours/socket" };
	dir("ours", OWNER, 0775);
	dir("ours/below", OWNER, 0755);
	fill("ours/file", 0644);
	dir("shared", 0, 01777);
	CHECK_EQ(opened("ours", O_RDONLY | O_CREAT), EISDIR);
	fill("shared/file", 0666);
	dir("shared/dir", OWNER, 0777);
	fill("shared/dir/file", 0666);
	AS(OTHER,
	   CHECK_EQ(opened("ours/new", O_WRONLY | O_CREAT), EACCES);
	   CHECK_EQ(opened("ours/file", O_RDONLY | O_CREAT), 0);
	   CHECK_EQ(opened("ours/below", O_RDONLY | O_CREAT), EISDIR);
	   CHECK_EQ(opened("ours/file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	   CHECK_EQ(opened("ours/file/", O_RDONLY), ENOTDIR);
	   CHECK_EQ(opened("ours", O_WRONLY | O_TMPFILE), EACCES);
	   CHECK_ERRNO(mkdir("ours/new", 0777), EACCES);
	   CHECK_ERRNO(mkdir("ours/below", 0777), EEXIST);
	   CHECK_ERRNO(mkfifo("ours/new", 0666), EACCES);
	   CHECK_ERRNO(symlink("x", "ours/new"), EACCES);
	   CHECK_ERRNO(link("shared/file", "ours/new"), EACCES);
	   CHECK_ERRNO(unlink("ours/file"), EACCES);
	   CHECK_ERRNO(unlink("ours/none"), ENOENT);
	   CHECK_ERRNO(rmdir("ours/below"), EACCES);
	   CHECK_ERRNO(rename("ours/file", "shared/mine"), EACCES);
	   CHECK_ERRNO(rename("shared/none", "ours/new"), ENOENT);
	   int server = socket(AF_UNIX, SOCK_STREAM, 0);
	   CHECK_ERRNO(bind(server, (struct sockaddr *)&address, sizeof address), EACCES);
	   /* A sticky directory: names are their owners'. */
	   CHECK_EQ(opened("shared/mine", O_WRONLY | O_CREAT), 0);
	   CHECK_OK(stat("shared/mine", &st));
	   CHECK_EQ(st.st_uid, OTHER);
	   CHECK_EQ(st.st_gid, OTHER);
	   CHECK_ERRNO(unlink("shared/file"), EPERM);
	   CHECK_ERRNO(rename("shared/file", "shared/taken"), EPERM);
	   CHECK_ERRNO(rename("shared/mine", "shared/file"), EPERM);
	   CHECK_ERRNO(rmdir("shared/dir"), EPERM);
	   CHECK_OK(rename("shared/mine", "shared/dir/mine"));
	   CHECK_OK(rename("shared/dir/mine", "shared/mine"));
	   CHECK_OK(unlink("shared/dir/file"));
	   CHECK_OK(mkdir("shared/own", 0755));
	   CHECK_OK(stat("shared/own", &st));
	   CHECK_EQ(st.st_uid, OTHER);
	   CHECK_EQ(opened("shared/own/file", O_WRONLY | O_CREAT), 0);
	   CHECK_OK(rename("shared/own", "shared/dir/own"));
	   CHECK_OK(chmod("shared/dir/own", 0555));
	   CHECK_ERRNO(rename("shared/dir/own", "shared/own"), EACCES);
	   CHECK_OK(rename("shared/dir/own", "shared/dir/still"));
	   CHECK_EQ(opened("shared/dir/still/new", O_WRONLY | O_CREAT), EACCES);
	   CHECK_ERRNO(unlink("shared/dir/still/file"), EACCES);
	   CHECK_OK(unlink("shared/mine")));
	AS(MEMBER,
	   CHECK_EQ(opened("ours/new", O_WRONLY | O_CREAT), 0);
	   CHECK_OK(unlink("ours/file"));
	   CHECK_ERRNO(rmdir("ours/below/none"), ENOENT);
	   CHECK_ERRNO(mkdir("ours/below/new", 0777), EACCES);
	   CHECK_OK(unlink("ours/new")));
	AS(OWNER, CHECK_OK(unlink("shared/file")); CHECK_OK(rmdir("ours/below")));
}

static void changing(void)
{
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	char value[8];
	struct sockaddr_un address = { AF_UNIX, "server" };
	fill("attributes", 0640);
	fill("open", 0666);
	int has_xattr = setxattr("attributes", "user.lind", "v", 1, 0) == 0;
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(bind(server, (struct sockaddr *)&address, sizeof address));
	CHECK_OK(listen(server, 1));
	CHECK_OK(chmod("server", 0755));
	AS(OTHER,
	   CHECK_ERRNO(chmod("attributes", 0666), EPERM);
	   CHECK_ERRNO(chown("attributes", OTHER, -1), EPERM);
	   CHECK_ERRNO(utimensat(AT_FDCWD, "open", times, 0), EPERM);
	   CHECK_OK(utimensat(AT_FDCWD, "open", NULL, 0));
	   CHECK_ERRNO(utimensat(AT_FDCWD, "attributes", NULL, 0), EACCES);
	   if (has_xattr) {
		   CHECK_ERRNO(getxattr("attributes", "user.lind", value, sizeof value), EACCES);
		   CHECK_ERRNO(setxattr("0604", "user.lind", "w", 1, 0), EACCES);
	   }
	   int watches = inotify_init();
	   CHECK_ERRNO(inotify_add_watch(watches, "attributes", IN_MODIFY), EACCES);
	   CHECK_OK(inotify_add_watch(watches, "open", IN_MODIFY));
	   int client = socket(AF_UNIX, SOCK_STREAM, 0);
	   CHECK_ERRNO(connect(client, (struct sockaddr *)&address, sizeof address), EACCES));
	CHECK_OK(chmod("server", 0777));
	AS(OTHER,
	   int client = socket(AF_UNIX, SOCK_STREAM, 0);
	   CHECK_OK(connect(client, (struct sockaddr *)&address, sizeof address)));
	CHECK_OK(close(server));
	if (has_xattr)
		AS(MEMBER,
		   CHECK_EQ(getxattr("attributes", "user.lind", value, sizeof value), 1);
		   CHECK_ERRNO(setxattr("attributes", "user.lind", "w", 1, 0), EACCES));
}

static void executing(void)
{
	fill("script", 0750);
	fill("plain", 0644);
	char *argv[] = { "script", NULL };
	AS(OTHER, CHECK_ERRNO(execv("./script", argv), EACCES));
	AS(OWNER, CHECK_ERRNO(execv("./plain", argv), EACCES));
	AS(MEMBER, CHECK_ERRNO(execv("./script", argv), ENOEXEC));
}

int main(void)
{
	umask(0);
	CHECK_OK(chmod(".", 0755));
	opening();
	asking();
	walking();
	naming();
	changing();
	executing();
	return check_done();
}
