/* Waiting for locks and FIFOs is interrupted or restarted like reading.
 *
 * @in scratch
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include "process.h"

static volatile int calls;
static struct gate release;

static void on_alarm(int signo)
{
	(void)signo;
	if (++calls == 5)
		gate_open(&release);
}

static void every_3_ms(int flags)
{
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	calls = 0;
	CHECK_OK(handle(SIGALRM, on_alarm, flags));
	CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
}

static void off(void)
{
	struct itimerval off = { { 0, 0 }, { 0, 0 } };
	CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
}

int main(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct gate ready = gate();
	int file = open("file", O_RDWR | O_CREAT, 0644);
	CHECK_OK(mkfifo("fifo", 0600));
	release = gate();
	for (int way = 0; way < 3; way++) {
		pid_t pid = start();
		if (pid == 0) {
			int own = open("file", O_RDWR);
			CHECK_OK(way == 0 ? fcntl(own, F_SETLKW, &whole) : flock(own, LOCK_EX));
			gate_open(&ready);
			gate_wait(&release);
			if (way == 2)
				CHECK_OK(open("fifo", O_WRONLY));
			finish();
		}
		gate_wait(&ready);
		every_3_ms(0);
		if (way == 0)
			CHECK_ERRNO(fcntl(file, F_SETLKW, &whole), EINTR);
		else if (way == 1)
			CHECK_ERRNO(flock(file, LOCK_SH), EINTR);
		else
			CHECK_ERRNO(open("fifo", O_RDONLY), EINTR);
		off();
		every_3_ms(SA_RESTART);
		if (way == 0)
			CHECK_OK(fcntl(file, F_SETLKW, &whole));
		else if (way == 1)
			CHECK_OK(flock(file, LOCK_SH));
		else
			CHECK_OK(open("fifo", O_RDONLY));
		off();
		CHECK(calls >= 5);
		CHECK_EQ(ended(pid), 0);
		CHECK_OK(fcntl(file, F_SETLK, &(struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET }));
		CHECK_OK(flock(file, LOCK_UN));
	}
	return check_done();
}
