/* Names in /proc that depend on who asks, and numbers that have one way to be written. */
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "../process.h"

static void *asks(void *unused)
{
	char expected[64], link[64];
	struct stat own, other;
	(void)unused;
	snprintf(expected, sizeof expected, "%d/task/%ld", getpid(), syscall(SYS_gettid));
	ssize_t length = readlink("/proc/thread-self", link, sizeof link - 1);
	CHECK(length > 0);
	link[length < 0 ? 0 : length] = 0;
	CHECK_STR(link, expected);

	snprintf(expected, sizeof expected, "/proc/self/task/%ld", syscall(SYS_gettid));
	CHECK_OK(stat("/proc/thread-self", &own));
	CHECK_OK(stat(expected, &other));
	CHECK_EQ(own.st_ino, other.st_ino);
	int comm = open("/proc/thread-self/comm", O_RDONLY);
	CHECK_OK(comm);
	close(comm);
	return NULL;
}

int main(void)
{
	static const char *const no_numbers[] = { "+0", "00", "-0", " 0", "0 ", "0x0", "0a", "4294967296", "-1" };
	char name[64];
	struct stat stat;
	pthread_t thread;

	asks(NULL);
	CHECK_EQ(pthread_create(&thread, NULL, asks, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);

	CHECK_OK(lstat("/proc/self/fd/0", &stat));
	for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
		snprintf(name, sizeof name, "/proc/self/fd/%s", no_numbers[i]);
		CHECK_ERRNO(lstat(name, &stat), ENOENT);
		snprintf(name, sizeof name, "/proc/self/fdinfo/%s", no_numbers[i]);
		CHECK_ERRNO(lstat(name, &stat), ENOENT);
	}
	snprintf(name, sizeof name, "/proc/+%d", getpid());
	CHECK_ERRNO(lstat(name, &stat), ENOENT);
	snprintf(name, sizeof name, "/proc/0%d", getpid());
	CHECK_ERRNO(lstat(name, &stat), ENOENT);
	return check_done();
}
