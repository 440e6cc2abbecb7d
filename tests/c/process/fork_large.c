/* A large heap across forks: what either side changes, drops, moves or protects afterwards is its own business, as is
 * what a thread reads into it meanwhile.
 */
#include <pthread.h>
#include <sys/mman.h>
#include "process.h"

enum { PAGE = 4096, PAGES = 3000, ROUNDS = 12 };

/* What each page should have; 0 is a page that was never written, or given back. */
struct area {
	unsigned char *at;
	unsigned char expected[PAGES];
};

static unsigned next;

static unsigned chosen(unsigned below)
{
	next = next * 1103515245 + 12345;
	return (next >> 8) % below;
}

static int all_right(const struct area *area)
{
	int wrong = 0;
	for (int i = 0; i < PAGES; i++) {
		const unsigned char *page = area->at + (size_t)i * PAGE;
		wrong += page[0] != area->expected[i] || page[PAGE - 1] != area->expected[i];
	}
	return wrong == 0;
}

static void fill(struct area *area, int from, int count, unsigned char value)
{
	for (int i = from; i < from + count; i++)
		area->expected[i] = value;
	memset(area->at + (size_t)from * PAGE, value, (size_t)count * PAGE);
}

static void drop(struct area *area, int from, int count)
{
	for (int i = from; i < from + count; i++)
		area->expected[i] = 0;
	CHECK_OK(madvise(area->at + (size_t)from * PAGE, (size_t)count * PAGE, MADV_DONTNEED));
}

/* To another place, one after the other of two parts. */
static void move(struct area *area)
{
	size_t size = (size_t)PAGES * PAGE, first = (size_t)(1 + chosen(PAGES - 1)) * PAGE;
	unsigned char *to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(to != MAP_FAILED);
	int how = MREMAP_MAYMOVE | MREMAP_FIXED;
	CHECK(mremap(area->at, first, first, how, to) == to);
	CHECK(mremap(area->at + first, size - first, size - first, how, to + first) == to + first);
	area->at = to;
}

static void change(struct area *area)
{
	int from = chosen(PAGES - 400), count = 1 + chosen(400);
	switch (chosen(6)) {
	case 0:
		fill(area, 0, PAGES, 1 + chosen(255));
		break;
	case 1:
	case 2:
		fill(area, from, count, 1 + chosen(255));
		break;
	case 3:
		drop(area, from, count);
		break;
	case 4:
		move(area);
		break;
	case 5:
		for (int i = 0; i < 300; i++)
			fill(area, chosen(PAGES), 1, 1 + chosen(255));
	}
}

/* Children that live on for a while, each with the memory of its moment, and their children. */
static void generations(struct area *area)
{
	pid_t children[ROUNDS];
	struct gate end = gate();
	for (int round = 0; round < ROUNDS; round++) {
		children[round] = start();
		if (children[round] == 0) {
			CHECK(all_right(area));
			next = round + 1;
			change(area);
			pid_t inner = start();
			if (inner == 0) {
				CHECK(all_right(area));
				change(area);
				CHECK(all_right(area));
				finish();
			}
			change(area);
			CHECK_EQ(ended(inner), 0);
			if (round % 3 == 0)
				gate_wait(&end);
			CHECK(all_right(area));
			finish();
		}
		change(area);
		CHECK(all_right(area));
		if (round % 3 != 0)
			CHECK_EQ(ended(children[round]), 0);
	}
	for (int round = 0; round < ROUNDS; round += 3)
		gate_open(&end);
	for (int round = 0; round < ROUNDS; round += 3)
		CHECK_EQ(ended(children[round]), 0);
	CHECK(all_right(area));
}

struct reader {
	struct area *area;
	int from;
	volatile int stop;
};

/* Reads into the first pages all the time. */
static void *read_on(void *argument)
{
	struct reader *reader = argument;
	for (int i = 0; !reader->stop; i = (i + 1) % 1000) {
		unsigned char byte = 0, *page = reader->area->at + (size_t)i * PAGE;
		if (read(reader->from, page + 8, 1) != 1)
			break;
		memcpy(&byte, page + 8, 1);
		CHECK_EQ(byte, 'r');
	}
	return NULL;
}

static void *write_on(void *argument)
{
	char bytes[64];
	memset(bytes, 'r', sizeof bytes);
	while (write(*(int *)argument, bytes, sizeof bytes) > 0)
		;
	return NULL;
}

/* A fork loses nothing of what another thread reads at the same time. */
static void beside_a_reader(struct area *area)
{
	struct gate pipe = gate();
	struct reader reader = { area, pipe.end[0], 0 };
	pthread_t threads[2];
	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(pthread_create(&threads[0], NULL, read_on, &reader), 0);
	CHECK_EQ(pthread_create(&threads[1], NULL, write_on, &pipe.end[1]), 0);
	for (int i = 0; i < 8; i++) {
		fill(area, 1000 + i * 100, 600, 10 + i);
		pid_t pid = start();
		if (pid == 0)
			_exit(area->at[(size_t)(1000 + i * 100) * PAGE] == 10 + i ? 0 : 1);
		CHECK_EQ(ended(pid), 0);
	}
	reader.stop = 1;
	pthread_join(threads[0], NULL);
	close(pipe.end[0]);
	pthread_join(threads[1], NULL);
	close(pipe.end[1]);
}

int main(void)
{
	static struct area area;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	area.at = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	CHECK(area.at != MAP_FAILED);
	fill(&area, 100, PAGES - 200, 'a');
	for (next = 1; next < 4; next++)
		generations(&area);

	/* Wiped, absent and protected parts. */
	size_t part = 300 * PAGE;
	fill(&area, 0, PAGES, 'b');
	CHECK_EQ(in_child(finish), 0);
	CHECK_OK(madvise(area.at, part, MADV_WIPEONFORK));
	CHECK_OK(madvise(area.at + part, part, MADV_DONTFORK));
	CHECK_OK(mprotect(area.at + 2 * part, part, PROT_READ));
	CHECK_OK(mprotect(area.at + 3 * part, part, PROT_NONE));
	pid_t pid = start();
	if (pid == 0) {
		unsigned char resident;
		CHECK_EQ(area.at[0], 0);
		CHECK_EQ(area.at[part - 1], 0);
		CHECK_ERRNO(mincore(area.at + part, PAGE, &resident), ENOMEM);
		CHECK_EQ(area.at[2 * part], 'b');
		CHECK_OK(mprotect(area.at + 2 * part, 2 * part, PROT_READ | PROT_WRITE));
		CHECK_EQ(area.at[3 * part], 'b');
		memset(area.at + 2 * part, 'c', 2 * part);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(mprotect(area.at + 2 * part, 2 * part, PROT_READ | PROT_WRITE));
	CHECK(all_right(&area));
	CHECK_OK(madvise(area.at, part, MADV_KEEPONFORK));
	CHECK_OK(madvise(area.at + part, part, MADV_DOFORK));

	/* What a mapping leaves when it is moved with MREMAP_DONTUNMAP is zero. */
	CHECK_EQ(in_child(finish), 0);
	unsigned char *moved = mremap(area.at, part, part, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(moved != MAP_FAILED);
	CHECK_EQ(moved[part - 1], 'b');
	CHECK_EQ(area.at[0], 0);
	CHECK_EQ(area.at[part - 1], 0);
	CHECK_OK(munmap(moved, part));

	beside_a_reader(&area);
	return check_done();
}
