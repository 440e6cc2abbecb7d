/* Descriptors that are closed, replaced and shared between the reads and writes of them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char byte;

static void read_once(int fd, char expected)
{
	byte = 0;
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(byte, expected);
}

/* A file with one letter many times, at its start. */
static int letters(char letter)
{
	char text[64];
	int fd = memfd_create("letters", 0);
	memset(text, letter, sizeof text);
	CHECK_EQ(write(fd, text, sizeof text), sizeof text);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void closed_end_is_the_end(void)
{
	int ends[2];
	CHECK_OK(pipe(ends));
	CHECK_EQ(write(ends[1], "xy", 2), 2);
	read_once(ends[0], 'x');
	CHECK_EQ(write(ends[1], "z", 1), 1);
	CHECK_OK(close(ends[1]));
	read_once(ends[0], 'y');
	read_once(ends[0], 'z');
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	CHECK_ERRNO(write(ends[1], "x", 1), EBADF);
	CHECK_OK(close(ends[0]));
	CHECK_ERRNO(read(ends[0], &byte, 1), EBADF);
}

static void number_is_used_again(void)
{
	int first = letters('a'), second = letters('b');
	read_once(first, 'a');
	read_once(second, 'b');
	CHECK_EQ(dup2(second, first), first);
	read_once(first, 'b');
	CHECK_OK(close(first));
	CHECK_EQ(letters('c'), first);
	read_once(first, 'c');
	CHECK_OK(close_range(first, first, 0));
	CHECK_ERRNO(read(first, &byte, 1), EBADF);
	CHECK_OK(close(second));
}

static int shared, replacement;

static void *replace(void *unused)
{
	(void)unused;
	CHECK_EQ(dup2(replacement, shared), shared);
	return NULL;
}

static void *close_shared(void *unused)
{
	(void)unused;
	CHECK_OK(close(shared));
	return NULL;
}

static void in_thread(void *(*run)(void *))
{
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, run, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void other_thread_replaces(void)
{
	int ends[2];
	shared = letters('a');
	replacement = letters('b');
	read_once(shared, 'a');
	in_thread(replace);
	read_once(shared, 'b');
	CHECK_OK(close(shared));
	CHECK_OK(close(replacement));

	CHECK_OK(pipe(ends));
	shared = ends[1];
	CHECK_EQ(write(shared, "x", 1), 1);
	read_once(ends[0], 'x');
	in_thread(close_shared);
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	CHECK_OK(close(ends[0]));
}

static volatile int stop;

/* Reads `shared` for as long as it takes: a letter, or that there is no such descriptor. */
static void *read_shared(void *unused)
{
	(void)unused;
	while (!stop) {
		char letter = 'a';
		ssize_t got = pread(shared, &letter, 1, 0);
		if (got < 0 && errno == EBADF)
			continue;
		got = read(shared, &letter, 1);
		if (got > 0 && letter != 'a')
			CHECK_EQ(letter, 'a');
	}
	return NULL;
}

/* The number that a thread reads is closed, and made again of the same kind; another kind never gets the number. */
static void closing_while_reading(void)
{
	pthread_t thread;
	shared = letters('a');
	stop = 0;
	CHECK_EQ(pthread_create(&thread, NULL, read_shared, NULL), 0);
	for (int i = 0; i < 2000; i++) {
		int other = letters('b'), again = letters('a');
		CHECK_EQ(dup2(again, shared), shared);
		close(again);
		close(other);
	}
	stop = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_OK(close(shared));
}

static int close_in_child(void *unused)
{
	(void)unused;
	return close(shared) == 0 ? 0 : 1;
}

static void other_process_with_the_same_table(void)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	int ends[2], status;
	CHECK_OK(pipe(ends));
	shared = ends[1];
	CHECK_EQ(write(shared, "x", 1), 1);
	read_once(ends[0], 'x');
	pid_t pid = clone(close_in_child, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);
	CHECK_OK(pid);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	CHECK_ERRNO(write(shared, "x", 1), EBADF);
	CHECK_OK(close(ends[0]));
}

static void child_keeps_its_own(void)
{
	int ends[2], status;
	CHECK_OK(pipe(ends));
	CHECK_EQ(write(ends[1], "x", 1), 1);
	read_once(ends[0], 'x');
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(write(ends[1], "y", 1) == -1 || close(ends[1]) != 0);
	}
	CHECK_OK(close(ends[1]));
	read_once(ends[0], 'y');
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_OK(close(ends[0]));
}

static volatile sig_atomic_t caught;

static void on_pipe(int number)
{
	caught = number;
}

static void errors_of_writes(void)
{
	int ends[2], file = memfd_create("limited", 0);
	struct rlimit before, limit;
	signal(SIGPIPE, on_pipe);
	CHECK_OK(pipe(ends));
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_OK(close(ends[0]));
	CHECK_ERRNO(write(ends[1], "x", 1), EPIPE);
	CHECK_EQ(caught, SIGPIPE);
	CHECK_OK(close(ends[1]));

	signal(SIGXFSZ, on_pipe);
	CHECK_EQ(write(file, "0123", 4), 4);
	CHECK_OK(getrlimit(RLIMIT_FSIZE, &before));
	limit = before;
	limit.rlim_cur = 6;
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &limit));
	CHECK_EQ(write(file, "4567", 4), 2);
	CHECK_ERRNO(write(file, "67", 2), EFBIG);
	CHECK_EQ(caught, SIGXFSZ);
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &before));
	CHECK_EQ(write(file, "67", 2), 2);
	CHECK_OK(close(file));
}

static void access_modes(void)
{
	int readable = open("/dev/zero", O_RDONLY), writable = open("/dev/null", O_WRONLY);
	for (int i = 0; i < 2; i++) {
		read_once(readable, 0);
		CHECK_ERRNO(write(readable, "x", 1), EBADF);
		CHECK_EQ(write(writable, "x", 1), 1);
		CHECK_ERRNO(read(writable, &byte, 1), EBADF);
	}
	CHECK_OK(close(readable));
	CHECK_OK(close(writable));
}

/* What the two devices make of addresses and sizes. */
static void null_and_zero(void)
{
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
	char *page = mmap(NULL, 2 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_OK(munmap(page + 65536, 65536));
	memset(page, 1, 65536);
	CHECK_EQ(read(zero, page + 10, 20), 20);
	CHECK_EQ(page[9], 1);
	CHECK_EQ(page[10] | page[29], 0);
	CHECK_EQ(page[30], 1);
	CHECK_EQ(read(zero, page + 65536 - 10, 20), 10);
	CHECK_EQ(page[65535], 0);
	CHECK_ERRNO(read(zero, page + 65536, 20), EFAULT);
	CHECK_EQ(read(zero, page, 0), 0);
	CHECK_EQ(write(zero, page, 20), 20);
	CHECK_EQ(read(null, page, 20), 0);
	CHECK_EQ(write(null, page, 65536), 65536);
	CHECK_EQ(write(null, page, 0), 0);
	// Nobody looks at the bytes.
	CHECK_EQ(write(null, page + 65536, 20), 20);
	CHECK_ERRNO(write(null, (void *)-4096, 8192), EFAULT);
	CHECK_OK(close(null));
	CHECK_OK(close(zero));
}

int main(void)
{
	closed_end_is_the_end();
	number_is_used_again();
	other_thread_replaces();
	closing_while_reading();
	other_process_with_the_same_table();
	child_keeps_its_own();
	errors_of_writes();
	access_modes();
	null_and_zero();
	return check_done();
}
