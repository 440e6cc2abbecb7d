/* Random operations of three processes on the locks of two files: record locks, locks of descriptions, flock, with
 * descriptors that are opened, duplicated and closed. Every answer is as natively.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include "../process.h"

enum { PROCESSES = 3, FILES = 2, SLOTS = 4, STEPS = 1500 };

struct request {
	int what, slot, file, kind;
	long start, length;
};

static uint32_t state = 11;
static int descriptor[SLOTS] = { -1, -1, -1, -1 };
static pid_t pids[PROCESSES];

static uint32_t below(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

static const char *answer(int result)
{
	return result < 0 ? strerrorname_np(errno) : "ok";
}

/* Does a request in a worker; the answer goes to the parent as a line. */
static void perform(const struct request *request, char *line, size_t size)
{
	static const short kinds[] = { F_RDLCK, F_WRLCK, F_UNLCK };
	static const int modes[] = { O_RDWR, O_RDONLY, O_WRONLY };
	char name[] = "file0";
	struct flock lock = { .l_type = kinds[request->kind], .l_whence = SEEK_SET, .l_start = request->start,
			      .l_len = request->length };
	int *fd = &descriptor[request->slot];
	name[4] += request->file;
	if (*fd < 0 && request->what > 2)
		*fd = open(name, O_RDWR);
	errno = 0;
	switch (request->what) {
	case 0:
		if (*fd >= 0)
			close(*fd);
		*fd = open(name, modes[request->kind]);
		snprintf(line, size, "open %s %s", name, answer(*fd));
		return;
	case 1:
		snprintf(line, size, "close %s", answer(close(*fd)));
		*fd = -1;
		return;
	case 2: {
		int other = (request->slot + 1 + request->file) % SLOTS;
		if (*fd >= 0 && descriptor[other] >= 0 && other != request->slot)
			snprintf(line, size, "dup2 to %d %s", other, answer(dup2(*fd, descriptor[other])));
		else
			snprintf(line, size, "no dup2");
		return;
	}
	case 3:
	case 4:
	case 5:
		snprintf(line, size, "lock %d %ld+%ld %s", request->kind, request->start, request->length,
			 answer(fcntl(*fd, F_SETLK, &lock)));
		return;
	case 6:
		snprintf(line, size, "description %d %ld+%ld %s", request->kind, request->start, request->length,
			 answer(fcntl(*fd, F_OFD_SETLK, &lock)));
		return;
	case 7:
	case 8: {
		int command = request->what == 7 ? F_GETLK : F_OFD_GETLK;
		if (lock.l_type == F_UNLCK)
			lock.l_type = F_WRLCK;
		int result = fcntl(*fd, command, &lock);
		int owner = -2;
		for (int i = 0; i < PROCESSES; i++)
			if (lock.l_pid == pids[i])
				owner = i;
		if (lock.l_pid <= 0)
			owner = lock.l_pid;
		if (result < 0)
			snprintf(line, size, "get %s", answer(result));
		else if (lock.l_type == F_UNLCK)
			snprintf(line, size, "get none");
		else
			snprintf(line, size, "get %d %ld+%ld of %d", lock.l_type, (long)lock.l_start, (long)lock.l_len,
				 command == F_GETLK || owner >= 0 ? owner : -1);
		return;
	}
	default: {
		static const int operations[] = { LOCK_SH, LOCK_EX, LOCK_UN };
		snprintf(line, size, "flock %d %s", request->kind, answer(flock(*fd, operations[request->kind] | LOCK_NB)));
	}
	}
}

static void work(int in, int out)
{
	struct request request;
	char line[128];
	if (read(in, pids, sizeof pids) != sizeof pids)
		_exit(1);
	while (read(in, &request, sizeof request) == sizeof request) {
		memset(line, 0, sizeof line);
		perform(&request, line, sizeof line);
		if (write(out, line, sizeof line) != sizeof line)
			_exit(1);
	}
	_exit(0);
}

int main(void)
{
	int to[PROCESSES][2], from[PROCESSES][2];
	for (int i = 0; i < FILES; i++) {
		char name[] = "file0";
		name[4] += i;
		int fd = open(name, O_RDWR | O_CREAT, 0600);
		CHECK_EQ(write(fd, "some text in it", 15), 15);
		close(fd);
	}
	for (int i = 0; i < PROCESSES; i++) {
		CHECK_OK(pipe(to[i]));
		CHECK_OK(pipe(from[i]));
		pids[i] = start();
		if (pids[i] == 0) {
			for (int j = 0; j <= i; j++)
				close(to[j][1]);
			work(to[i][0], from[i][1]);
		}
		close(to[i][0]);
	}
	for (int i = 0; i < PROCESSES; i++)
		CHECK_EQ(write(to[i][1], pids, sizeof pids), sizeof pids);
	for (int step = 0; step < STEPS; step++) {
		int who = below(PROCESSES);
		struct request request = { below(10), below(SLOTS), below(FILES), below(3), below(12), below(6) };
		/* Few closes: most of the time something is open. */
		if (request.what <= 2 && below(2))
			request.what += 3;
		char line[128];
		CHECK_EQ(write(to[who][1], &request, sizeof request), sizeof request);
		CHECK_EQ(read(from[who][0], line, sizeof line), sizeof line);
		printf("%d: %d[%d] %s\n", step, who, request.slot, line);
	}
	for (int i = 0; i < PROCESSES; i++) {
		close(to[i][1]);
		CHECK_EQ(ended(pids[i]), 0);
	}
	return check_done();
}
