/* Sockets at paths stay inside the root, whatever links and dots are on the way.
 * @in chroot
 */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "../process.h"

static struct sockaddr_un address;

static socklen_t name(const char *path)
{
	memset(&address, 0, sizeof address);
	address.sun_family = AF_UNIX;
	strncpy(address.sun_path, path, sizeof address.sun_path);
	return offsetof(struct sockaddr_un, sun_path) + strlen(path) + (strlen(path) < sizeof address.sun_path);
}

#define AT(path) (struct sockaddr *)&address, name(path)

static void bind_at(const char *path, const char *lies)
{
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(bind(fd, AT(path)));
	CHECK_OK(listen(fd, 1));
	CHECK_OK(lstat(lies, &st));
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_OK(connect(other, AT(lies)));
	close(other);
	close(fd);
	CHECK_OK(unlink(lies));
}

int main(void)
{
	CHECK_OK(mkdir("/dir", 0777));
	CHECK_OK(symlink("../../../..", "/up"));
	CHECK_OK(symlink("/", "/root"));
	CHECK_OK(symlink("/dir", "/dir/again"));
	bind_at("/../../../escaped", "/escaped");
	bind_at("/up/escaped", "/escaped");
	bind_at("/root/dir/../../../s", "/s");
	bind_at("/dir/again/again/s", "/dir/s");
	/* A dangling link at the end is not followed to make a socket, and leads nowhere to connect. */
	CHECK_OK(symlink("/nowhere", "/dangling"));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(bind(fd, AT("/dangling")), EADDRINUSE);
	CHECK_ERRNO(connect(fd, AT("/dangling")), ENOENT);
	CHECK_OK(symlink("loop", "/loop"));
	CHECK_ERRNO(connect(fd, AT("/loop")), ELOOP);
	CHECK_ERRNO(connect(fd, AT("/loop/s")), ELOOP);
	CHECK_ERRNO(bind(fd, AT("/")), EADDRINUSE);
	CHECK_ERRNO(bind(fd, AT("/dir/.")), EADDRINUSE);
	/* The longest path there is: it need not end in a zero. */
	char path[109];
	memset(path, 'x', 108);
	path[0] = '/';
	path[108] = 0;
	CHECK_OK(bind(fd, AT(path)));
	CHECK_OK(listen(fd, 1));
	int other = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(connect(other, AT(path)));
	/* A link to a socket leads to it, also after it was renamed. */
	CHECK_OK(rename(path, "/dir/moved"));
	CHECK_OK(symlink("dir/moved", "/link"));
	int third = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_OK(connect(third, AT("/link")));
	close(third);
	/* A socket whose file is gone cannot be reached any more. */
	CHECK_OK(unlink("/dir/moved"));
	third = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(connect(third, AT("/link")), ENOENT);
	/* A file that only looks like one. */
	CHECK_OK(mknod("/made", S_IFSOCK | 0666, 0));
	CHECK_ERRNO(connect(third, AT("/made")), ECONNREFUSED);
	return check_done();
}
