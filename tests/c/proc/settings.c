/* /proc/PID/io, coredump_filter, timerslack_ns, children. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>
#include "../process.h"

struct io {
	long long rchar, wchar, syscr, syscw;
};

static char text[4096];

static const char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return strerrorname_np(errno);
	ssize_t count = read(fd, text, sizeof text - 1);
	int error = errno;
	close(fd);
	if (count < 0)
		return strerrorname_np(error);
	text[count] = 0;
	return text;
}

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	ssize_t count = write(fd, value, strlen(value));
	int error = errno;
	close(fd);
	errno = error;
	return count == (ssize_t)strlen(value) ? 0 : -1;
}

/* The counts before this call, which itself reads once. */
static struct io io(const char *path)
{
	struct io now = { -1, -1, -1, -1 };
	CHECK_EQ(sscanf(read_file(path), "rchar: %lld\nwchar: %lld\nsyscr: %lld\nsyscw: %lld\nread_bytes: ", &now.rchar,
			&now.wchar, &now.syscr, &now.syscw), 4);
	CHECK(strstr(text, "\ncancelled_write_bytes: ") != NULL);
	return now;
}

static void expect(const char *path, struct io before, long long rchar, long long wchar, long long syscr, long long syscw)
{
	size_t length = strlen(text);
	struct io now = io(path);
	CHECK_EQ(now.rchar - before.rchar - (long long)length, rchar);
	CHECK_EQ(now.wchar - before.wchar, wchar);
	CHECK_EQ(now.syscr - before.syscr - 1, syscr);
	CHECK_EQ(now.syscw - before.syscw, syscw);
}

static int ends[2];

static void *moves(void *argument)
{
	(void)argument;
	char bytes[100] = "";
	struct io own = io("/proc/thread-self/io");
	CHECK_EQ(own.wchar, 0);
	CHECK_EQ(write(ends[1], bytes, 100), 100);
	CHECK_EQ(read(ends[0], bytes, 100), 100);
	expect("/proc/thread-self/io", own, 100, 100, 1, 1);
	return NULL;
}

static void counts(void)
{
	const char *path = "/proc/self/io";
	char bytes[1000] = "";
	CHECK_OK(pipe(ends));
	struct io before = io(path);
	CHECK_EQ(write(ends[1], bytes, 1000), 1000);
	CHECK_EQ(read(ends[0], bytes, 300), 300);
	struct iovec parts[2] = { { bytes, 100 }, { bytes + 100, 600 } };
	CHECK_EQ(readv(ends[0], parts, 2), 700);
	CHECK_EQ(writev(ends[1], parts, 1), 100);
	expect(path, before, 1000, 1100, 2, 2);

	/* What fails counts as a call, unless there is nothing to read or write. */
	before = io(path);
	CHECK_ERRNO(read(-1, bytes, 1), EBADF);
	CHECK_ERRNO(read(ends[1], bytes, 1), EBADF);
	CHECK_OK(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	CHECK_EQ(read(ends[0], bytes, 1000), 100);
	CHECK_ERRNO(read(ends[0], bytes, 1), EAGAIN);
	expect(path, before, 100, 0, 2, 0);

	before = io(path);
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(read(zero, bytes, 10), 10);
		CHECK_EQ(write(null, bytes, 20), 20);
	}
	close(zero);
	close(null);
	int file = open("/proc/self/exe", O_RDONLY);
	CHECK_EQ(pread(file, bytes, 50, 10), 50);
	expect(path, before, 150, 200, 11, 10);
	close(file);

	/* Threads that have ended count for the process, as do children that were waited for. */
	before = io(path);
	pthread_t thread;
	CHECK_OK(fcntl(ends[0], F_SETFL, 0));
	CHECK_EQ(pthread_create(&thread, NULL, moves, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	struct io after = io(path);
	CHECK(after.wchar - before.wchar == 100 && after.syscw - before.syscw == 1);
	CHECK(after.syscr - before.syscr == 4);
	pid_t pid = start();
	if (pid == 0) {
		before = io(path);
		CHECK_EQ(before.wchar, 0);
		CHECK_EQ(write(ends[1], bytes, 700), 700);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	before = after;
	after = io(path);
	CHECK(after.wchar - before.wchar >= 700 && after.wchar - before.wchar < 1700);
}

static void settings(void)
{
	const char *filter = "/proc/self/coredump_filter", *slack = "/proc/self/timerslack_ns";
	CHECK_STR(read_file(filter), "00000033\n");
	CHECK_OK(write_file(filter, "0x7f\n"));
	CHECK_STR(read_file(filter), "0000007f\n");
	CHECK_OK(write_file(filter, "010"));
	CHECK_STR(read_file(filter), "00000008\n");
	CHECK_OK(write_file(filter, "4095"));
	CHECK_STR(read_file(filter), "000001ff\n");
	CHECK_ERRNO(write_file(filter, "x"), EINVAL);
	pid_t pid = start();
	if (pid == 0) {
		CHECK_STR(read_file(filter), "000001ff\n");
		finish();
	}
	CHECK_EQ(ended(pid), 0);

	CHECK_STR(read_file(slack), "50000\n");
	CHECK_OK(prctl(PR_SET_TIMERSLACK, 70000));
	CHECK_STR(read_file(slack), "70000\n");
	CHECK_OK(write_file(slack, "60000\n"));
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 60000);
	CHECK_OK(write_file(slack, "0"));
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 50000);
	CHECK_ERRNO(write_file(slack, "-"), EINVAL);
	CHECK_EQ(access("/proc/thread-self/coredump_filter", F_OK), -1);
	CHECK_STR(read_file("/proc/self/cpuset"), "/\n");
}

static void *lists_none(void *argument)
{
	(void)argument;
	CHECK_STR(read_file("/proc/thread-self/children"), "");
	return NULL;
}

static void children(void)
{
	char expected[64];
	CHECK_STR(read_file("/proc/thread-self/children"), "");
	int hold[2];
	CHECK_OK(pipe(hold));
	pid_t pid = start();
	if (pid == 0) {
		char byte;
		close(hold[1]);
		CHECK_EQ(read(hold[0], &byte, 1), 0);
		finish();
	}
	snprintf(expected, sizeof expected, "%d ", (int)pid);
	CHECK_STR(read_file("/proc/thread-self/children"), expected);
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, lists_none, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(access("/proc/self/children", F_OK), -1);
	close(hold[1]);
	CHECK_EQ(ended(pid), 0);
	CHECK_STR(read_file("/proc/thread-self/children"), "");
}

int main(void)
{
	counts();
	settings();
	children();
	return check_done();
}
