/* futex words in shared mappings: anonymous and of a file, at different addresses; private words are each process's own.
 *
 * @in scratch
 */
#include "futex.h"

static word own;

static void pingpong(word *turn, uint32_t self)
{
	for (int i = 0; i < 500; i++) {
		uint32_t seen;
		while ((seen = *turn) % 2 != self)
			if (futex(turn, FUTEX_WAIT, seen, NULL, NULL, 0) < 0)
				CHECK(errno == EAGAIN || errno == EINTR);
		++*turn;
		CHECK_OK(futex(turn, FUTEX_WAKE, 1, NULL, NULL, 0));
	}
}

static void both(word *mine, word *childs)
{
	*mine = 0;
	pid_t pid = start();
	if (pid == 0) {
		pingpong(childs, 1);
		finish();
	}
	pingpong(mine, 0);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(*mine, 1000);
}

int main(void)
{
	struct timespec little = { 0, 10000000 };
	word *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	both(shared + 7, shared + 7);
	int file = open("file", O_RDWR | O_CREAT, 0644);
	CHECK_OK(ftruncate(file, 8192));
	word *one = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	word *two = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 4096);
	both(one + 1024, two);
	both(two + 3, one + 1027);
	/* Opened again by the child. */
	*one = 0;
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(munmap(one, 8192));
		CHECK_OK(munmap(two, 4096));
		int again = open("file", O_RDWR);
		word *third = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
		pingpong(third, 1);
		finish();
	}
	pingpong(one, 0);
	CHECK_EQ(ended(pid), 0);

	/* A word in private memory has the same address in both, but it is not the same word. */
	int status = 0;
	struct gate ready = gate();
	pid = start();
	if (pid == 0) {
		gate_open(&ready);
		long result = futex(&own, FUTEX_WAIT, 0, &little, NULL, 0);
		_exit(result < 0 && errno == ETIMEDOUT ? 3 : 4);
	}
	gate_wait(&ready);
	do
		CHECK_EQ(futex(&own, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	while (waitpid(pid, &status, WNOHANG) == 0);
	CHECK_EQ(shell_status(status), 3);
	/* A private operation on a shared word does not reach the other process. */
	shared[0] = 0;
	pid = start();
	if (pid == 0) {
		long result = futex(shared, FUTEX_WAIT_PRIVATE, 0, &little, NULL, 0);
		_exit(result < 0 && errno == ETIMEDOUT ? 3 : 4);
	}
	CHECK_EQ(futex(shared, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	CHECK_EQ(ended(pid), 3);
	return check_done();
}
