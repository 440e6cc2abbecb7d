/* A pseudo-terminal: its two ends, its names, its settings and what passes through it.
 *
 * @cflags -D_GNU_SOURCE -Wno-unused-result
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>
#include "check.h"

static const char *got(int fd)
{
	static char text[256];
	struct pollfd p = { fd, POLLIN, 0 };
	size_t n = 0;
	while (poll(&p, 1, n ? 30 : 2000) > 0 && n < sizeof text - 1) {
		ssize_t more = read(fd, text + n, sizeof text - 1 - n);
		if (more <= 0)
			break;
		n += more;
	}
	text[n] = 0;
	return text;
}

static void say(int fd, const char *text)
{
	CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void names(void)
{
	struct stat a, b, c;
	unsigned number, other;
	int lock = 1;
	char path[64], text[PATH_MAX] = "";
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK_OK(master);
	CHECK_EQ(fcntl(master, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(master, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_OK(ioctl(master, TIOCGPTN, &number));
	snprintf(path, sizeof path, "/dev/pts/%u", number);
	CHECK_STR(ptsname(master), path);
	CHECK_OK(ioctl(master, TIOCGPTLCK, &lock));
	CHECK_EQ(lock, 1);
	CHECK_ERRNO(open(path, O_RDWR | O_NOCTTY), EIO);
	CHECK_OK(grantpt(master));
	CHECK_OK(unlockpt(master));
	CHECK_OK(ioctl(master, TIOCGPTLCK, &lock));
	CHECK_EQ(lock, 0);
	int slave = open(path, O_RDWR | O_NOCTTY);
	CHECK_OK(slave);
	CHECK(isatty(slave) && isatty(master));
	CHECK_STR(ttyname(slave), path);
	CHECK_OK(fstat(slave, &a));
	CHECK_OK(stat(path, &b));
	CHECK(S_ISCHR(a.st_mode));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_rdev == b.st_rdev && a.st_mode == b.st_mode);
	CHECK_EQ(major(a.st_rdev), 136);
	CHECK_EQ(minor(a.st_rdev), number);
	CHECK_EQ(a.st_uid, getuid());
	CHECK_OK(fstat(master, &c));
	CHECK(S_ISCHR(c.st_mode));
	CHECK_EQ(major(c.st_rdev), 5);
	CHECK_EQ(minor(c.st_rdev), 2);
	CHECK_OK(stat("/dev/ptmx", &b));
	snprintf(text, sizeof text, "/proc/self/fd/%d", slave);
	char link[PATH_MAX] = "";
	CHECK(readlink(text, link, sizeof link - 1) > 0);
	CHECK_STR(link, path);
	int again = open(text, O_RDWR | O_NOCTTY);
	CHECK_OK(again);
	CHECK_STR(ttyname(again), path);
	CHECK_OK(close(again));
	int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK_OK(peer);
	CHECK_EQ(fcntl(peer, F_GETFD), FD_CLOEXEC);
	CHECK_STR(ttyname(peer), path);
	CHECK_ERRNO(ioctl(slave, TIOCGPTN, &other), ENOTTY);
	CHECK_ERRNO(ioctl(slave, TIOCGPTPEER, O_RDWR), EIO);
	CHECK(ptsname(slave) == NULL);
	DIR *dir = opendir("/dev/pts");
	CHECK(dir != NULL);
	int found = 0;
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (strcmp(e->d_name, strrchr(path, '/') + 1) == 0) {
			found++;
			CHECK_EQ(e->d_ino, a.st_ino);
			CHECK_EQ(e->d_type, DT_CHR);
		}
	CHECK_EQ(found, 1);
	if (dir)
		closedir(dir);
	int second = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK_OK(ioctl(second, TIOCGPTN, &other));
	CHECK(other != number);
	CHECK_OK(close(second));
	CHECK_OK(close(master));
	CHECK_ERRNO(stat(path, &b), ENOENT);
	CHECK_ERRNO(open(path, O_RDWR), ENOENT);
	CHECK_ERRNO(ioctl(slave, TIOCGWINSZ, text), EIO);
	CHECK_EQ(read(slave, text, 1), 0);
	CHECK_ERRNO(write(slave, "x", 1), EIO);
	CHECK_OK(close(peer));
	CHECK_OK(close(slave));
	CHECK_ERRNO(open("/dev/pts/12345", O_RDWR), ENOENT);
	CHECK_ERRNO(open("/dev/pts/01", O_RDWR), ENOENT);
	CHECK_ERRNO(open("/dev/pts/x", O_RDWR | O_CREAT, 0600), EACCES);
	CHECK_ERRNO(open("/dev/pts/../ptmx/x", O_RDWR), ENOTDIR);
}

static void discipline(void)
{
	struct winsize set = { 30, 100, 1, 2 }, w;
	struct termios t;
	char buffer[64];
	int master, slave;
	char name[64];
	CHECK_OK(openpty(&master, &slave, name, NULL, &set));
	CHECK_STR(ttyname(slave), name);
	CHECK_OK(ioctl(slave, TIOCGWINSZ, &w));
	CHECK(w.ws_row == 30 && w.ws_col == 100 && w.ws_xpixel == 1 && w.ws_ypixel == 2);
	w.ws_row = 40;
	CHECK_OK(ioctl(slave, TIOCSWINSZ, &w));
	CHECK_OK(ioctl(master, TIOCGWINSZ, &w));
	CHECK_EQ(w.ws_row, 40);
	CHECK_OK(tcgetattr(slave, &t));
	CHECK((t.c_lflag & (ISIG | ICANON | ECHO)) == (ISIG | ICANON | ECHO));
	CHECK(t.c_oflag & OPOST);
	CHECK_EQ(t.c_cc[VINTR], 3);

	say(slave, "out\n");
	CHECK_STR(got(master), "out\r\n");
	say(master, "lime\177\177ne\r");
	CHECK_STR(got(master), "lime\b \b\b \bne\r\n");
	CHECK_STR(got(slave), "line\n");
	say(master, "no newline");
	int waiting = -1;
	CHECK_OK(ioctl(slave, FIONREAD, &waiting));
	CHECK_EQ(waiting, 0);
	say(master, "\004");
	CHECK_STR(got(slave), "no newline");
	say(master, "\004");
	CHECK_EQ(read(slave, buffer, sizeof buffer), 0);
	got(master);

	/* Signals' keys are swallowed although there is nobody to be signalled. */
	say(master, "lost");
	CHECK_STR(got(master), "lost");
	say(master, "\003");
	CHECK_STR(got(master), "^C");
	say(master, "kept\n");
	CHECK_STR(got(master), "kept\r\n");
	CHECK_STR(got(slave), "kept\n");
	say(master, "quoted\026\003\n");
	CHECK_STR(got(slave), "quoted\003\n");
	got(master);

	cfmakeraw(&t);
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	struct termios seen;
	CHECK_OK(tcgetattr(master, &seen));
	CHECK_EQ(seen.c_lflag & (ISIG | ICANON | ECHO), 0);
	say(master, "\003\004\032raw\r");
	CHECK_STR(got(slave), "\003\004\032raw\r");
	say(slave, "a\nb");
	CHECK_STR(got(master), "a\nb");
	say(master, "gone");
	CHECK_OK(tcflush(slave, TCIFLUSH));
	say(master, "here");
	CHECK_STR(got(slave), "here");

	CHECK_OK(fcntl(slave, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(read(slave, buffer, 1), EAGAIN);
	struct pollfd p = { slave, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	say(master, "!");
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK_EQ(read(slave, buffer, 1), 1);

	/* When nobody has the other end any more, reading ends. */
	say(slave, "last");
	CHECK_OK(close(slave));
	CHECK_STR(got(master), "last");
	CHECK_ERRNO(read(master, buffer, 1), EIO);
	p = (struct pollfd){ master, POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK(p.revents & POLLHUP);
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK_OK(slave);
	say(slave, "again");
	CHECK_STR(got(master), "again");
	CHECK_OK(close(master));
	CHECK_OK(close(slave));
}

static void errors(void)
{
	int master, slave, value = 0;
	CHECK_OK(openpty(&master, &slave, NULL, NULL, NULL));
	/* It is nobody's controlling terminal. */
	CHECK_ERRNO(tcgetpgrp(slave), ENOTTY);
	CHECK_ERRNO(tcgetsid(slave), ENOTTY);
	CHECK_ERRNO(tcsetpgrp(slave, getpgrp()), ENOTTY);
	CHECK_ERRNO(ioctl(slave, TIOCNOTTY), ENOTTY);
	CHECK_EQ(tcgetpgrp(master), 0);
	CHECK_ERRNO(tcgetsid(master), ENOTTY);
	CHECK_ERRNO(ioctl(master, TIOCGPTN, (void *)8), EFAULT);
	CHECK_ERRNO(ioctl(master, TIOCSPTLCK, (void *)8), EFAULT);
	CHECK_ERRNO(ioctl(slave, TIOCSPTLCK, &value), ENOTTY);
	CHECK_ERRNO(lseek(slave, 0, SEEK_CUR), ESPIPE);
	CHECK_ERRNO(ioctl(master, 0x12345678, &value), ENOTTY);
	CHECK_OK(close(slave));
	CHECK_OK(close(master));
	CHECK_ERRNO(open("/dev/ptmx", O_RDWR | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("/dev/ptmx", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
}

/* The byte of control before what the other end writes, and alone when something happens to it. */
static void packets(void)
{
	char buffer[64];
	int master, slave, on = -1;
	struct termios t;
	CHECK_OK(openpty(&master, &slave, NULL, NULL, NULL));
	CHECK_OK(ioctl(master, TIOCGPKT, &on));
	CHECK_EQ(on, 0);
	on = 7;
	CHECK_OK(ioctl(master, TIOCPKT, &on));
	CHECK_OK(ioctl(master, TIOCGPKT, &on));
	CHECK_EQ(on, 1);
	say(slave, "text");
	CHECK_EQ(read(master, buffer, sizeof buffer), 5);
	CHECK_EQ(memcmp(buffer, "\0text", 5), 0);
	CHECK_OK(tcflush(slave, TCIFLUSH));
	struct pollfd p = { master, POLLPRI, 0 };
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK_EQ(read(master, buffer, sizeof buffer), 1);
	CHECK_EQ(buffer[0], TIOCPKT_FLUSHREAD);
	CHECK_OK(tcgetattr(slave, &t));
	t.c_iflag &= ~IXON;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
	CHECK_EQ(read(master, buffer, sizeof buffer), 1);
	CHECK_EQ(buffer[0], TIOCPKT_NOSTOP);
	on = 0;
	CHECK_OK(ioctl(master, TIOCPKT, &on));
	say(slave, "text");
	CHECK_EQ(read(master, buffer, sizeof buffer), 4);
	CHECK_ERRNO(ioctl(slave, TIOCPKT, &on), ENOTTY);
	CHECK_ERRNO(ioctl(slave, TIOCGPKT, &on), ENOTTY);
	CHECK_ERRNO(ioctl(master, TIOCPKT, (int *)16), EFAULT);
	CHECK_OK(close(slave));
	CHECK_OK(close(master));
}

int main(void)
{
	names();
	discipline();
	packets();
	errors();
	return check_done();
}
