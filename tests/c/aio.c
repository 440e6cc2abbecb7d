/* Kernel AIO: contexts, requests on files, pipes and eventfds, and waiting for their events.
 */
#define _GNU_SOURCE
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "interrupt.h"

#ifdef SYS_io_pgetevents_time64
#define PGETEVENTS SYS_io_pgetevents_time64
#else
#define PGETEVENTS SYS_io_pgetevents
#endif

/* With 64-bit time, whatever the machine. */
struct limit {
	int64_t seconds, nanoseconds;
};

struct sigset_argument {
	const void *mask;
	size_t size;
};

static long io_setup(unsigned count, aio_context_t *context)
{
	return syscall(SYS_io_setup, count, context);
}

static long io_destroy(aio_context_t context)
{
	return syscall(SYS_io_destroy, (long)context);
}

static long io_submit(aio_context_t context, long count, struct iocb **requests)
{
	return syscall(SYS_io_submit, (long)context, count, requests);
}

static long io_cancel(aio_context_t context, struct iocb *request, struct io_event *result)
{
	return syscall(SYS_io_cancel, (long)context, request, result);
}

static long get(aio_context_t context, long least, long most, struct io_event *events, struct limit *limit)
{
	return syscall(PGETEVENTS, (long)context, least, most, events, limit, NULL);
}

/* The word that the kernel takes as a context, which may be as wide as a long. */
static aio_context_t made(unsigned count)
{
	unsigned long word = 0;
	CHECK_OK(io_setup(count, (aio_context_t *)&word));
	return word;
}

static struct iocb request(int command, int fd, const void *buffer, size_t length, long long offset)
{
	return (struct iocb){
		.aio_data = 77,
		.aio_key = 9,
		.aio_lio_opcode = command,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buffer,
		.aio_nbytes = length,
		.aio_offset = offset,
	};
}

/* Submits one request. */
static long submit(aio_context_t context, struct iocb *request)
{
	return io_submit(context, 1, &request);
}

/* Submits one request and returns the result that its event tells. */
static long long done(aio_context_t context, struct iocb request)
{
	struct io_event event;
	if (submit(context, &request) != 1)
		return -1000 - errno;
	CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
	CHECK_EQ(event.data, 77);
	CHECK_EQ(event.obj, (uintptr_t)&request);
	CHECK_EQ(event.res2, 0);
	CHECK_EQ(request.aio_key, 0);
	return event.res;
}

static int file(void)
{
	char name[] = "/tmp/aio-XXXXXX";
	int fd = mkstemp(name);
	CHECK_OK(fd);
	unlink(name);
	return fd;
}

static void contexts(void)
{
	unsigned long word = 0;
	aio_context_t *context = (aio_context_t *)&word;
	CHECK_ERRNO(io_setup(1, NULL), EFAULT);
	CHECK_ERRNO(io_setup(0, context), EINVAL);
	word = 1;
	CHECK_ERRNO(io_setup(1, context), EINVAL);
	word = 0;
	CHECK_ERRNO(io_setup(0x7fffffff, context), EINVAL);
	CHECK_ERRNO(io_setup(1 << 22, context), EAGAIN);
	CHECK_EQ(word, 0);
	CHECK_EQ(io_setup(4, context), 0);
	CHECK(word != 0);
	CHECK_ERRNO(io_setup(4, context), EINVAL);
	struct io_event event;
	struct limit none = { 0, 0 };
	CHECK_EQ(io_submit(word, 0, NULL), 0);
	CHECK_EQ(get(word, 0, 0, &event, NULL), 0);
	CHECK_EQ(get(word, 0, 1, &event, NULL), 0);
	CHECK_EQ(get(word, 1, 1, &event, &none), 0);
	CHECK_ERRNO(get(word, 2, 1, &event, &none), EINVAL);
	CHECK_ERRNO(get(word, -1, 1, &event, &none), EINVAL);
	CHECK_ERRNO(get(word, 0, -1, &event, &none), EINVAL);
	CHECK_ERRNO(get(word, 1, 1, &event, (struct limit *)8), EFAULT);
	/* The child has contexts of its own only. */
	pid_t pid = start();
	if (pid == 0) {
		CHECK_ERRNO(io_submit(word, 0, NULL), EINVAL);
		CHECK_ERRNO(io_destroy(word), EINVAL);
		aio_context_t own = made(4);
		CHECK_EQ(io_submit(own, 0, NULL), 0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(io_destroy(word), 0);
	CHECK_ERRNO(io_destroy(word), EINVAL);
	CHECK_ERRNO(io_destroy(0), EINVAL);
	CHECK_ERRNO(io_submit(word, 0, NULL), EINVAL);
	CHECK_ERRNO(get(word, 0, 1, &event, NULL), EINVAL);
	CHECK_ERRNO(get(0, 0, 1, &event, NULL), EINVAL);
}

static void files(void)
{
	aio_context_t context = made(8);
	int fd = file();
	char text[16] = "";
	CHECK_EQ(done(context, request(IOCB_CMD_PWRITE, fd, "0123456789", 10, 0)), 10);
	CHECK_EQ(done(context, request(IOCB_CMD_PREAD, fd, text, 4, 3)), 4);
	CHECK_STR(text, "3456");
	CHECK_EQ(done(context, request(IOCB_CMD_PREAD, fd, text, 4, 10)), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	struct iovec parts[2] = { { "ab", 2 }, { "cde", 3 } };
	CHECK_EQ(done(context, request(IOCB_CMD_PWRITEV, fd, parts, 2, 8)), 5);
	char first[3] = "", second[6] = "";
	struct iovec rooms[2] = { { first, 2 }, { second, 5 } };
	CHECK_EQ(done(context, request(IOCB_CMD_PREADV, fd, rooms, 2, 7)), 6);
	CHECK_STR(first, "7a");
	CHECK_STR(second, "bcde");
	CHECK_EQ(done(context, request(IOCB_CMD_FSYNC, fd, NULL, 0, 0)), 0);
	CHECK_EQ(done(context, request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0)), 0);
	/* A buffer that is none is known when it is used. */
	CHECK_EQ(done(context, request(IOCB_CMD_PREAD, fd, (void *)8, 4, 0)), -EFAULT);
	/* Flags of preadv2. */
	struct iocb flagged = request(IOCB_CMD_PWRITE, fd, "!", 1, 0);
	flagged.aio_rw_flags = RWF_DSYNC;
	CHECK_EQ(done(context, flagged), 1);
	flagged.aio_rw_flags = 1 << 30;
	CHECK_ERRNO(submit(context, &flagged), EOPNOTSUPP);
	flagged.aio_rw_flags = 0;
	/* Best effort; a fifth class does not exist. */
	flagged.aio_flags = 2;
	flagged.aio_reqprio = 2 << 13 | 4;
	CHECK_EQ(done(context, flagged), 1);
	flagged.aio_reqprio = (int16_t)(5 << 13);
	CHECK_ERRNO(submit(context, &flagged), EINVAL);
	CHECK_EQ(pread(fd, text, 1, 0), 1);
	CHECK_EQ(text[0], '!');
	close(fd);
	CHECK_EQ(io_destroy(context), 0);
}

static void refused(void)
{
	aio_context_t context = made(8);
	int fd = file(), ends[2];
	char text[4];
	CHECK_OK(pipe(ends));
	struct iocb good = request(IOCB_CMD_PWRITE, fd, "x", 1, 0), bad = good;
	struct iocb *array[3] = { &good, &bad, &good };
	struct io_event events[4];
	CHECK_ERRNO(io_submit(context, -1, array), EINVAL);
	CHECK_ERRNO(io_submit(context, 1, NULL), EFAULT);
	CHECK_ERRNO(submit(context, NULL), EFAULT);
	bad.aio_fildes = 999;
	CHECK_ERRNO(submit(context, &bad), EBADF);
	/* What comes before a bad one is done. */
	CHECK_EQ(io_submit(context, 3, array), 1);
	CHECK_EQ(get(context, 1, 4, events, NULL), 1);
	array[0] = NULL;
	CHECK_ERRNO(io_submit(context, 3, array), EFAULT);
	bad = good;
	bad.aio_reserved2 = 1;
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	bad = good;
	bad.aio_nbytes = UINT64_MAX;
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	for (int command = 9; command < 12; command++) {
		bad = request(command, fd, text, 1, 0);
		CHECK_ERRNO(submit(context, &bad), EINVAL);
	}
	bad = request(IOCB_CMD_NOOP, fd, NULL, 0, 0);
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	bad = request(IOCB_CMD_PREAD, fd, text, 1, -1);
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	bad = request(IOCB_CMD_PREADV, fd, text, 1025, 0);
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	bad = request(IOCB_CMD_PREADV, fd, (void *)8, 1, 0);
	CHECK_ERRNO(submit(context, &bad), EFAULT);
	bad = request(IOCB_CMD_FSYNC, fd, text, 0, 0);
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	bad = request(IOCB_CMD_FSYNC, fd, NULL, 0, 1);
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	bad = request(IOCB_CMD_FSYNC, ends[1], NULL, 0, 0);
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	bad = request(IOCB_CMD_PREAD, ends[1], text, 1, 0);
	CHECK_ERRNO(submit(context, &bad), EBADF);
	bad = request(IOCB_CMD_PWRITE, ends[0], text, 1, 0);
	CHECK_ERRNO(submit(context, &bad), EBADF);
	int directory = open("/tmp", O_RDONLY | O_DIRECTORY), path = open("/tmp", O_PATH);
	bad = request(IOCB_CMD_PREAD, directory, text, 1, 0);
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	bad.aio_lio_opcode = IOCB_CMD_PWRITE;
	CHECK_ERRNO(submit(context, &bad), EBADF);
	bad = request(IOCB_CMD_PREAD, path, text, 1, 0);
	CHECK_ERRNO(submit(context, &bad), EBADF);
	bad = good;
	bad.aio_flags = IOCB_FLAG_RESFD;
	bad.aio_resfd = 999;
	CHECK_ERRNO(submit(context, &bad), EBADF);
	bad.aio_resfd = fd;
	CHECK_ERRNO(submit(context, &bad), EINVAL);
	/* Nothing of that has left an event. */
	CHECK_EQ(get(context, 0, 4, events, NULL), 0);
	/* What is complete cannot be cancelled. */
	CHECK_EQ(submit(context, &good), 1);
	CHECK_ERRNO(io_cancel(context, &good, events), EINVAL);
	CHECK_ERRNO(io_cancel(context, (struct iocb *)8, events), EFAULT);
	CHECK_ERRNO(io_cancel(0, &good, events), EINVAL);
	/* Events that have no place stay. */
	CHECK_ERRNO(get(context, 1, 1, (struct io_event *)8, NULL), EFAULT);
	CHECK_EQ(get(context, 1, 1, events, NULL), 1);
	close(directory);
	close(path);
	close(fd);
	close(ends[0]);
	close(ends[1]);
	CHECK_EQ(io_destroy(context), 0);
}

static void full(void)
{
	aio_context_t context = made(4);
	int fd = file();
	struct iocb one = request(IOCB_CMD_PWRITE, fd, "x", 1, 0);
	static struct io_event events[100000];
	long count = 0;
	while (count < 100000 && submit(context, &one) == 1)
		count++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(count >= 4);
	CHECK_EQ(get(context, count, 100000, events, NULL), count);
	CHECK_EQ(submit(context, &one), 1);
	CHECK_EQ(get(context, 0, 10, events, NULL), 1);
	CHECK_EQ(io_destroy(context), 0);
	/* The rooms of all contexts together are limited. */
	unsigned long all[64] = { 0 };
	int made = 0;
	while (made < 64 && io_setup(8000, (aio_context_t *)&all[made]) == 0)
		made++;
	if (made < 64)
		CHECK_EQ(errno, EAGAIN);
	CHECK(made > 0);
	for (int i = 0; i < made; i++)
		CHECK_EQ(io_destroy(all[i]), 0);
	close(fd);
}

static void eventfds(void)
{
	aio_context_t context = made(4);
	int fd = file(), bell = eventfd(0, EFD_NONBLOCK);
	struct iocb one = request(IOCB_CMD_PWRITE, fd, "x", 1, 0), two = one;
	struct iocb *both[2] = { &one, &two };
	one.aio_flags = two.aio_flags = IOCB_FLAG_RESFD;
	one.aio_resfd = two.aio_resfd = bell;
	CHECK_EQ(io_submit(context, 2, both), 2);
	uint64_t value = 0;
	CHECK_EQ(read(bell, &value, 8), 8);
	CHECK_EQ(value, 2);
	struct io_event events[2];
	CHECK_EQ(get(context, 2, 2, events, NULL), 2);
	CHECK_EQ(events[0].obj, (uintptr_t)&one);
	CHECK_EQ(events[1].obj, (uintptr_t)&two);
	close(bell);
	close(fd);
	CHECK_EQ(io_destroy(context), 0);
}

static void nothing(int signo)
{
	(void)signo;
}

static void pipes(void)
{
	aio_context_t context = made(4);
	int ends[2];
	char text[8] = "";
	CHECK_OK(pipe(ends));
	CHECK_EQ(done(context, request(IOCB_CMD_PWRITE, ends[1], "hello", 5, 100)), 5);
	CHECK_EQ(done(context, request(IOCB_CMD_PREAD, ends[0], text, 2, 0)), 2);
	CHECK_STR(text, "he");
	struct iovec room = { text, 7 };
	CHECK_EQ(done(context, request(IOCB_CMD_PREADV, ends[0], &room, 1, 0)), 3);
	CHECK_STR(text, "llo");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	CHECK_EQ(done(context, request(IOCB_CMD_PREAD, ends[0], text, 2, 0)), -EAGAIN);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(done(context, request(IOCB_CMD_PWRITE, ends[1], "x", 1, 0)), -EPIPE);
	close(ends[1]);
	CHECK_EQ(io_destroy(context), 0);
}

/* A request that a handler interrupts is complete: it says so itself. */
static void interrupted_request(void)
{
	struct gate open = gate();
	int ends[2];
	CHECK_OK(pipe(ends));
	handle(SIGUSR1, nothing, SA_RESTART);
	pid_t pid = start();
	if (pid == 0) {
		char byte;
		aio_context_t context = made(4);
		struct iocb one = request(IOCB_CMD_PREAD, ends[0], &byte, 1, 0);
		struct io_event event;
		CHECK_EQ(submit(context, &one), 1);
		mask(SIG_BLOCK, SIGUSR1);
		gate_open(&open);
		CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
		CHECK_EQ(event.res, -EINTR);
		finish();
	}
	signal_until(pid, SIGUSR1, &open);
	CHECK_EQ(ended(pid), 0);
	gate_close(&open);
	close(ends[0]);
	close(ends[1]);
}

static void file_size(void)
{
	aio_context_t context = made(4);
	int fd = file();
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit = { 10, 10 };
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &limit));
	CHECK_EQ(done(context, request(IOCB_CMD_PWRITE, fd, "0123456789", 10, 5)), 5);
	CHECK_EQ(done(context, request(IOCB_CMD_PWRITE, fd, "0123456789", 10, 10)), -EFBIG);
}

static aio_context_t shared;
static int shared_file;

static void *submitter(void *arg)
{
	(void)arg;
	struct iocb one = request(IOCB_CMD_PWRITE, shared_file, "x", 1, 0);
	for (int i = 0; i < 3; i++) {
		sleep_ms(30);
		CHECK_EQ(submit(shared, &one), 1);
	}
	return NULL;
}

static void *destroyer(void *arg)
{
	(void)arg;
	sleep_ms(100);
	CHECK_EQ(io_destroy(shared), 0);
	return NULL;
}

static int shared_pipe[2];

static void *reader(void *arg)
{
	(void)arg;
	char byte;
	struct iocb one = request(IOCB_CMD_PREAD, shared_pipe[0], &byte, 1, 0);
	CHECK_EQ(submit(shared, &one), 1);
	return NULL;
}

static void *writer(void *arg)
{
	(void)arg;
	sleep_ms(200);
	CHECK_EQ(write(shared_pipe[1], "xy", 2), 2);
	return NULL;
}

/* A context that is destroyed waits for the requests of other threads. */
static void destroyed_in_use(void)
{
	pthread_t threads[2];
	char byte = 0;
	shared = made(4);
	CHECK_OK(pipe(shared_pipe));
	pthread_create(&threads[0], NULL, reader, NULL);
	sleep_ms(100);
	pthread_create(&threads[1], NULL, writer, NULL);
	CHECK_EQ(io_destroy(shared), 0);
	/* One byte has been read by then. */
	CHECK_EQ(read(shared_pipe[0], &byte, 1), 1);
	CHECK_EQ(byte, 'y');
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	close(shared_pipe[0]);
	close(shared_pipe[1]);
}

static void waits(void)
{
	struct io_event events[4];
	struct limit soon = { 0, 50000000 };
	pthread_t thread;
	shared = made(8);
	shared_file = file();
	CHECK_EQ(get(shared, 1, 4, events, &soon), 0);
	pthread_create(&thread, NULL, submitter, NULL);
	CHECK_EQ(get(shared, 3, 4, events, NULL), 3);
	pthread_join(thread, NULL);
	/* One comes, the other does not. */
	struct iocb one = request(IOCB_CMD_PWRITE, shared_file, "x", 1, 0);
	CHECK_EQ(submit(shared, &one), 1);
	CHECK_EQ(get(shared, 2, 4, events, &soon), 1);
	pthread_create(&thread, NULL, destroyer, NULL);
	CHECK_ERRNO(get(shared, 1, 4, events, NULL), EINVAL);
	pthread_join(thread, NULL);
	close(shared_file);
}

static void interrupted(void)
{
	struct gate open = gate();
	handle(SIGUSR1, nothing, SA_RESTART);
	pid_t pid = start();
	if (pid == 0) {
		aio_context_t context = made(4);
		struct io_event event;
		CHECK_ERRNO(get(context, 1, 1, &event, NULL), EINTR);
		gate_open(&open);
		finish();
	}
	signal_until(pid, SIGUSR1, &open);
	CHECK_EQ(ended(pid), 0);
	gate_close(&open);
}

/* Many long requests end with their process. */
static void killed(void)
{
	enum { REQUESTS = 2000, PARTS = 1024, PART = 1 << 20 };
	pid_t pid = start();
	if (pid == 0) {
		static char room[PART];
		static struct iovec parts[PARTS];
		static struct iocb requests[REQUESTS], *array[REQUESTS];
		aio_context_t context = made(REQUESTS);
		int zero = open("/dev/zero", O_RDONLY);
		for (int i = 0; i < PARTS; i++)
			parts[i] = (struct iovec){ room, PART };
		for (int i = 0; i < REQUESTS; i++) {
			requests[i] = request(IOCB_CMD_PREADV, zero, parts, PARTS, 0);
			array[i] = &requests[i];
		}
		io_submit(context, REQUESTS, array);
		finish();
	}
	sleep_ms(200);
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	kill(pid, SIGKILL);
	CHECK_EQ(ended(pid), 128 + SIGKILL);
	clock_gettime(CLOCK_MONOTONIC, &to);
	CHECK(to.tv_sec - from.tv_sec < 10);
}

static int handled;

static void count(int signo)
{
	(void)signo;
	handled++;
}

static void masks(void)
{
	aio_context_t context = made(4);
	struct io_event event;
	struct limit soon = { 5, 0 };
	uint64_t open = 0;
	struct sigset_argument argument = { &open, 8 };
	handle(SIGUSR2, count, 0);
	mask(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR2);
	CHECK_EQ(handled, 0);
	CHECK_ERRNO(syscall(PGETEVENTS, (long)context, 1L, 1L, &event, &soon, &argument), EINTR);
	CHECK_EQ(handled, 1);
	CHECK_EQ(is_blocked(SIGUSR2), 1);
	argument.size = 5;
	CHECK_ERRNO(syscall(PGETEVENTS, (long)context, 1L, 1L, &event, &soon, &argument), EINVAL);
	CHECK_ERRNO(syscall(PGETEVENTS, (long)context, 1L, 1L, &event, &soon, (void *)8), EFAULT);
	CHECK_EQ(io_destroy(context), 0);
}

int main(void)
{
	/* Filters of some containers refuse these, natively. */
	unsigned long word = 0;
	if (io_setup(1, (aio_context_t *)&word) == -1 && (errno == ENOSYS || errno == EPERM))
		return check_done();
	CHECK_EQ(io_destroy(word), 0);
	if (get(0, 0, 0, NULL, NULL) == -1 && errno == EPERM)
		return check_done();
	contexts();
	files();
	refused();
	full();
	eventfds();
	pipes();
	CHECK_EQ(in_child(file_size), 0);
	waits();
	destroyed_in_use();
	interrupted();
	interrupted_request();
	killed();
	masks();
	return check_done();
}
