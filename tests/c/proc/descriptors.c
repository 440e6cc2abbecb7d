/* What /proc/self/fdinfo tells of descriptors that are no files. */
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include "process.h"

static char text[1 << 14];

/* What is told of a descriptor; where the line with this name goes on, or NULL. */
static const char *line(int fd, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY);
	ssize_t n = read(info, text, sizeof text - 1);
	close(info);
	text[n < 0 ? 0 : n] = 0;
	for (char *at = text; *at; at = strchr(at, '\n') + 1)
		if (strncmp(at, name, strlen(name)) == 0)
			return at + strlen(name);
	return NULL;
}

static void events(void)
{
	int fd = eventfd(5, 0);
	unsigned long long count = 0;
	const char *at = line(fd, "eventfd-count: ");
	CHECK(at && sscanf(at, "%llx", &count) == 1 && count == 5);
	CHECK(at && at[16] == '\n');
	CHECK_OK(close(fd));
}

static void timers(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), clock = -1;
	struct itimerspec value = { { 7, 8 }, { 1000, 0 } };
	unsigned long long seconds = 0, nanoseconds = 0;
	CHECK_OK(timerfd_settime(fd, 0, &value, NULL));
	const char *at = line(fd, "clockid: ");
	CHECK(at && sscanf(at, "%d", &clock) == 1 && clock == CLOCK_MONOTONIC);
	CHECK(line(fd, "ticks: 0\n") != NULL);
	CHECK(line(fd, "settime flags: 00\n") != NULL);
	at = line(fd, "it_value: ");
	CHECK(at && sscanf(at, "(%llu, %llu)", &seconds, &nanoseconds) == 2 && seconds >= 990);
	CHECK(line(fd, "it_interval: (7, 8)\n") != NULL);
	CHECK_OK(close(fd));
}

static void signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	int fd = signalfd(-1, &set, 0);
	CHECK(line(fd, "sigmask:\t0000000000000201\n") != NULL);
	CHECK_OK(close(fd));
}

static void processes(void)
{
	int gate[2];
	char c;
	CHECK_OK(pipe(gate));
	pid_t pid = start();
	if (pid == 0) {
		close(gate[1]);
		read(gate[0], &c, 1);
		finish();
	}
	int fd = pidfd_open(pid, 0), told = 0;
	const char *at = line(fd, "Pid:\t");
	CHECK(at && sscanf(at, "%d", &told) == 1 && told == pid);
	at = line(fd, "NSpid:\t");
	CHECK(at && sscanf(at, "%d", &told) == 1);
	close(gate[1]);
	CHECK_EQ(ended(pid), 0);
	at = line(fd, "Pid:\t");
	CHECK(at && sscanf(at, "%d", &told) == 1 && told == -1);
	CHECK_OK(close(fd));
	CHECK_OK(close(gate[0]));
}

static void watches(void)
{
	int fd = inotify_init1(0), number = 0;
	struct stat st;
	unsigned long inode = 0;
	unsigned mask = 0;
	CHECK_OK(stat("/tmp", &st));
	int watch = inotify_add_watch(fd, "/tmp", IN_CREATE | IN_DELETE);
	CHECK_OK(watch);
	const char *at = line(fd, "inotify wd:");
	CHECK(at && sscanf(at, "%x ino:%lx sdev:%*x mask:%x ", &number, &inode, &mask) == 3);
	CHECK_EQ(number, watch);
	CHECK_EQ(inode, st.st_ino);
	CHECK_EQ(mask & IN_ALL_EVENTS, IN_CREATE | IN_DELETE);
	CHECK_OK(close(fd));
}

static void sets(void)
{
	int set = epoll_create1(0), fds[2], told = -1;
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0x1234 };
	unsigned events = 0;
	unsigned long long data = 0;
	CHECK(line(set, "tfd:") == NULL);
	CHECK_OK(pipe(fds));
	CHECK_OK(dup2(fds[0], 77));
	CHECK_OK(close(fds[0]));
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, 77, &event));
	const char *at = line(set, "tfd:");
	CHECK(at && sscanf(at, "%d events: %x data: %llx ", &told, &events, &data) == 3);
	CHECK_EQ(told, 77);
	CHECK_EQ(events & EPOLLIN, EPOLLIN);
	CHECK_EQ(data, 0x1234);
	CHECK_OK(close(77));
	CHECK_OK(close(fds[1]));
	CHECK_OK(close(set));
}

static void scores(void)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR), score = -1;
	CHECK_OK(fd);
	int before = 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = 0;
	CHECK_EQ(sscanf(text, "%d", &before), 1);
	CHECK_EQ(pwrite(fd, "500\n", 4, 0), 4);
	n = pread(fd, text, sizeof text - 1, 0);
	text[n < 0 ? 0 : n] = 0;
	CHECK_EQ(sscanf(text, "%d", &score), 1);
	CHECK_EQ(score, 500);
	CHECK_ERRNO(pwrite(fd, "1001", 4, 0), EINVAL);
	CHECK_ERRNO(pwrite(fd, "x", 1, 0), EINVAL);
	pid_t pid = start();
	if (pid == 0) {
		n = pread(fd, text, sizeof text - 1, 0);
		CHECK(n == 4 && memcmp(text, "500\n", 4) == 0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(close(fd));
}

int main(void)
{
	events();
	timers();
	signals();
	processes();
	watches();
	sets();
	scores();
	return check_done();
}
