/* Stress of pipes, events and what waits for them.
 * @in scratch
 */
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include "stress.h"

static char block[70000], got[70000];

static void ping_pong(int worker)
{
	int there[2], back[2], i;
	(void)worker;
	CHECK_OK(pipe(there));
	CHECK_OK(pipe(back));
	pid_t pid = start();
	if (pid == 0) {
		for (int k = 0; k < 1000; k++) {
			CHECK_OK(read_all(there[0], &i, sizeof i));
			i++;
			CHECK_OK(write_all(back[1], &i, sizeof i));
		}
		finish();
	}
	for (int k = 0; k < 1000; k++) {
		CHECK_OK(write_all(there[1], &k, sizeof k));
		CHECK_OK(read_all(back[0], &i, sizeof i));
		CHECK_EQ(i, k + 1);
	}
	CHECK_EQ(ended(pid), 0);
}

static void streams(int worker)
{
	int end[2];
	CHECK_OK(pipe(end));
	pid_t pid = start();
	if (pid == 0) {
		close(end[0]);
		for (int i = 0; i < 30; i++) {
			fill(block, sizeof block, i + worker);
			CHECK_OK(write_all(end[1], block, sizeof block));
		}
		finish();
	}
	close(end[1]);
	for (int i = 0; i < 30; i++) {
		CHECK_OK(read_all(end[0], got, sizeof got));
		CHECK(is_filled(got, sizeof got, i + worker));
	}
	CHECK_EQ(read(end[0], got, 1), 0);
	CHECK_EQ(ended(pid), 0);
	close(end[0]);
}

static void herds(int worker)
{
	/* Many write records to one pipe: none is torn. */
	int end[2], count[8] = { 0 };
	char record[100];
	(void)worker;
	CHECK_OK(pipe(end));
	pid_t pids[8];
	for (int i = 0; i < 8; i++)
		if ((pids[i] = start()) == 0) {
			memset(record, i, sizeof record);
			for (int k = 0; k < 100; k++)
				CHECK_EQ(write(end[1], record, sizeof record), sizeof record);
			finish();
		}
	close(end[1]);
	while (read_all(end[0], record, sizeof record) == 0) {
		for (size_t k = 1; k < sizeof record; k++)
			CHECK_EQ(record[k], record[0]);
		count[record[0] & 7]++;
	}
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(ended(pids[i]), 0);
		CHECK_EQ(count[i], 100);
	}
	close(end[0]);
}

static void packets(int worker)
{
	int end[2];
	(void)worker;
	CHECK_OK(pipe2(end, O_DIRECT));
	for (int i = 1; i < 300; i++) {
		CHECK_EQ(write(end[1], block, i), i);
		CHECK_EQ(write(end[1], block, 2), 2);
		CHECK_EQ(read(end[0], got, 1000), i);
		CHECK_EQ(read(end[0], got, 1), 1);
		CHECK_ERRNO(fcntl(end[0], F_SETFL, O_NONBLOCK) < 0 ? -1 : read(end[0], got, 1), EAGAIN);
		CHECK_OK(fcntl(end[0], F_SETFL, 0));
	}
	close(end[0]), close(end[1]);
}

static void sizes(int worker)
{
	int end[2], now;
	(void)worker;
	for (int i = 0; i < 50; i++) {
		CHECK_OK(pipe2(end, O_NONBLOCK));
		int size = fcntl(end[1], F_SETPIPE_SZ, 4096 << i % 5), written = 0;
		CHECK_EQ(size, 4096 << i % 5);
		ssize_t n;
		while ((n = write(end[1], block, 4096)) > 0)
			written += n;
		CHECK_EQ(errno, EAGAIN);
		CHECK_EQ(written, size);
		CHECK_OK(ioctl(end[0], FIONREAD, &now));
		CHECK_EQ(now, size);
		close(end[0]), close(end[1]);
	}
}

static void broken(int worker)
{
	int end[2];
	(void)worker;
	for (int i = 0; i < 100; i++) {
		CHECK_OK(pipe(end));
		pid_t pid = start();
		if (pid == 0) {
			close(end[0]);
			handle(SIGPIPE, i % 2 ? SIG_IGN : SIG_DFL, 0);
			while (write(end[1], block, 1000) > 0)
				;
			CHECK_EQ(errno, EPIPE);
			finish();
		}
		close(end[1]);
		CHECK_EQ(read(end[0], got, 10), 10);
		close(end[0]);
		CHECK_EQ(ended(pid), i % 2 ? 0 : 128 + SIGPIPE);
	}
}

static void fifos(int worker)
{
	char name[32];
	snprintf(name, sizeof name, "fifo%d", worker);
	for (int i = 0; i < 30; i++) {
		CHECK_OK(mkfifo(name, 0600));
		pid_t pid = start();
		if (pid == 0) {
			int fd = open(name, O_WRONLY);
			CHECK_OK(fd);
			CHECK_EQ(write(fd, &i, sizeof i), sizeof i);
			finish();
		}
		int number = -1, fd = open(name, O_RDONLY);
		CHECK_OK(fd);
		CHECK_OK(read_all(fd, &number, sizeof number));
		CHECK_EQ(number, i);
		CHECK_EQ(read(fd, &number, 1), 0);
		CHECK_EQ(ended(pid), 0);
		close(fd);
		CHECK_ERRNO(open(name, O_WRONLY | O_NONBLOCK), ENXIO);
		CHECK_OK(unlink(name));
	}
}

static void splices(int worker)
{
	int a[2], b[2];
	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	for (int i = 0; i < 200; i++) {
		struct iovec vector = { block, 3000 };
		fill(block, 3000, i + worker);
		/* Filters of containers refuse this one, natively. */
		if (vmsplice(a[1], &vector, 1, 0) != 3000)
			CHECK_EQ(write(a[1], block, 3000), 3000);
		CHECK_EQ(tee(a[0], b[1], 3000, 0), 3000);
		CHECK_EQ(splice(a[0], NULL, b[1], NULL, 3000, 0), 3000);
		for (int k = 0; k < 2; k++) {
			CHECK_OK(read_all(b[0], got, 3000));
			CHECK(is_filled(got, 3000, i + worker));
		}
	}
	close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

static void counters(int worker)
{
	int fd = eventfd(0, EFD_SEMAPHORE);
	uint64_t one = 1;
	(void)worker;
	pid_t pids[4];
	for (int i = 0; i < 4; i++)
		if ((pids[i] = start()) == 0) {
			for (int k = 0; k < 200; k++)
				CHECK_EQ(write(fd, &one, 8), 8);
			finish();
		}
	for (int k = 0; k < 800; k++) {
		CHECK_EQ(read(fd, &one, 8), 8);
		CHECK_EQ(one, 1);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(ended(pids[i]), 0);
	struct pollfd poll_fd = { fd, POLLIN, 0 };
	CHECK_EQ(poll(&poll_fd, 1, 0), 0);
	close(fd);
}

static void polls(int worker)
{
	struct pollfd fds[50];
	int ends[50][2];
	uint32_t state = worker;
	for (int i = 0; i < 50; i++) {
		CHECK_OK(pipe(ends[i]));
		fds[i] = (struct pollfd){ ends[i][0], POLLIN, 0 };
	}
	for (int round = 0; round < 300; round++) {
		int which = next_number(&state) % 50;
		CHECK_EQ(poll(fds, 50, 0), 0);
		CHECK_EQ(write(ends[which][1], "x", 1), 1);
		CHECK_EQ(poll(fds, 50, -1), 1);
		CHECK_EQ(fds[which].revents, POLLIN);
		CHECK_EQ(read(ends[which][0], got, 10), 1);
	}
	for (int i = 0; i < 50; i++)
		close(ends[i][0]), close(ends[i][1]);
}

static void selects(int worker)
{
	int end[2];
	(void)worker;
	CHECK_OK(pipe(end));
	for (int round = 0; round < 300; round++) {
		fd_set in, out;
		struct timeval none = { 0, 0 };
		FD_ZERO(&in);
		FD_ZERO(&out);
		FD_SET(end[0], &in);
		FD_SET(end[1], &out);
		CHECK_EQ(select(end[1] + 1, &in, &out, NULL, &none), 1);
		CHECK(!FD_ISSET(end[0], &in) && FD_ISSET(end[1], &out));
		CHECK_EQ(write(end[1], "x", 1), 1);
		FD_SET(end[0], &in);
		CHECK_EQ(select(end[1] + 1, &in, &out, NULL, NULL), 2);
		CHECK_EQ(read(end[0], got, 10), 1);
	}
	close(end[0]), close(end[1]);
}

static void epolls(int worker)
{
	int ends[50][2], epoll = epoll_create1(0);
	uint32_t state = worker;
	struct epoll_event event, events[50];
	for (int i = 0; i < 50; i++) {
		CHECK_OK(pipe2(ends[i], O_NONBLOCK));
		event = (struct epoll_event){ .events = i % 2 ? EPOLLIN | EPOLLET : EPOLLIN, .data.u32 = i };
		CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[i][0], &event));
	}
	for (int round = 0; round < 300; round++) {
		int which = next_number(&state) % 50;
		CHECK_EQ(write(ends[which][1], "x", 1), 1);
		CHECK_EQ(epoll_wait(epoll, events, 50, 20000), 1);
		CHECK_EQ(events[0].data.u32, which);
		CHECK_EQ(epoll_wait(epoll, events, 50, 0), which % 2 ? 0 : 1);
		CHECK_EQ(read(ends[which][0], got, 10), 1);
		CHECK_EQ(epoll_wait(epoll, events, 50, 0), 0);
	}
	for (int i = 0; i < 50; i++)
		close(ends[i][0]), close(ends[i][1]);
	close(epoll);
}

static void one_shots(int worker)
{
	/* Several wait for one event that is told to one of them. */
	int end[2], told[2], epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	char byte;
	(void)worker;
	CHECK_OK(pipe(end));
	CHECK_OK(pipe(told));
	CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, end[0], &event));
	pid_t pids[3];
	for (int i = 0; i < 3; i++)
		if ((pids[i] = start()) == 0) {
			for (;;) {
				CHECK_EQ(epoll_wait(epoll, &event, 1, -1), 1);
				CHECK_EQ(read(end[0], &byte, 1), 1);
				CHECK_EQ(write(told[1], &byte, 1), 1);
				event = (struct epoll_event){ .events = EPOLLIN | EPOLLONESHOT };
				CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, end[0], &event));
				if (byte == 'q')
					finish();
			}
		}
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(write(end[1], "x", 1), 1);
		CHECK_EQ(read(told[0], &byte, 1), 1);
	}
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(write(end[1], "q", 1), 1);
		CHECK_EQ(read(told[0], &byte, 1), 1);
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ended(pids[i]), 0);
	close(epoll);
}

static void terminals(int worker)
{
	(void)worker;
	for (int round = 0; round < 20; round++) {
		int master = posix_openpt(O_RDWR | O_NOCTTY);
		CHECK_OK(master);
		CHECK_OK(grantpt(master));
		CHECK_OK(unlockpt(master));
		int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
		CHECK_OK(slave);
		struct termios modes;
		CHECK_OK(tcgetattr(slave, &modes));
		cfmakeraw(&modes);
		CHECK_OK(tcsetattr(slave, TCSANOW, &modes));
		for (int i = 0; i < 20; i++) {
			fill(block, 200, i);
			CHECK_EQ(write(master, block, 200), 200);
			CHECK_OK(read_all(slave, got, 200));
			CHECK(is_filled(got, 200, i));
			CHECK_EQ(write(slave, block, 200), 200);
			CHECK_OK(read_all(master, got, 200));
			CHECK(is_filled(got, 200, i));
		}
		close(slave);
		CHECK_ERRNO(read(master, got, 1), EIO);
		close(master);
	}
}

static void chains(int worker)
{
	/* What goes in at one end of ten processes comes out at the other. */
	int first[2], in, end[2];
	CHECK_OK(pipe(first));
	in = first[0];
	pid_t pids[10];
	for (int i = 0; i < 10; i++) {
		CHECK_OK(pipe(end));
		if ((pids[i] = start()) == 0) {
			ssize_t n;
			close(first[1]), close(end[0]);
			while ((n = read(in, got, 1000)) > 0) {
				for (ssize_t k = 0; k < n; k++)
					got[k]++;
				CHECK_OK(write_all(end[1], got, n));
			}
			finish();
		}
		close(in), close(end[1]);
		in = end[0];
	}
	for (int i = 0; i < 20; i++) {
		fill(block, 1000, i + worker);
		CHECK_OK(write_all(first[1], block, 1000));
		CHECK_OK(read_all(in, got, 1000));
		for (int k = 0; k < 1000; k++)
			got[k] -= 10;
		CHECK(is_filled(got, 1000, i + worker));
	}
	close(first[1]);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(ended(pids[i]), 0);
}

static const struct stressor stressors[] = {
	{ "ping-pong", ping_pong }, { "streams", streams },  { "herds", herds },
	{ "packets", packets },	    { "sizes", sizes },	     { "broken", broken },
	{ "fifos", fifos },	    { "splices", splices },  { "counters", counters },
	{ "polls", polls },	    { "selects", selects },  { "epolls", epolls },
	{ "one-shots", one_shots }, { "terminals", terminals }, { "chains", chains },
};

int main(void)
{
	return STRESS(stressors);
}
