/* /proc/PID/smaps and smaps_rollup: what of each mapping is in memory. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../process.h"

static long page;

struct counts {
	int mappings;
	long size, rss, pss, shared, private, anonymous, locked, swap;
	char flags[128];
};

/* The sums of all mappings between two addresses. */
static struct counts count(const char *path, unsigned long from, unsigned long to)
{
	struct counts sum = { 0 };
	char line[4352], name[64];
	FILE *file = fopen(path, "r");
	CHECK(file != NULL);
	int inside = 0;
	while (file && fgets(line, sizeof line, file)) {
		unsigned long start, end;
		long kb;
		if (isxdigit((unsigned char)line[0]) && sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			inside = start >= from && end <= to;
			sum.mappings += inside;
		} else if (inside && sscanf(line, "%63[^:]: %ld kB", name, &kb) == 2) {
			long *field = !strcmp(name, "Size") ? &sum.size : !strcmp(name, "Rss") ? &sum.rss :
				!strcmp(name, "Pss") ? &sum.pss : !strncmp(name, "Shared_", 7) && name[7] != 'H' ? &sum.shared :
				!strncmp(name, "Private_", 8) && name[8] != 'H' ? &sum.private :
				!strcmp(name, "Anonymous") ? &sum.anonymous : !strcmp(name, "Locked") ? &sum.locked :
				!strcmp(name, "Swap") ? &sum.swap : NULL;
			if (field)
				*field += kb * 1024;
		} else if (inside && !strncmp(line, "VmFlags: ", 9)) {
			snprintf(sum.flags, sizeof sum.flags, " %.*s", (int)strcspn(line + 9, "\n"), line + 9);
		}
	}
	fclose(file);
	return sum;
}

static struct counts of(char *start, size_t pages)
{
	return count("/proc/self/smaps", (unsigned long)start, (unsigned long)start + pages * page);
}

/* A mapping of its own, between two that nobody may touch. */
static char *map(size_t pages, int protection, int flags, int fd)
{
	char *all = mmap(NULL, (pages + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK((void *)all != MAP_FAILED);
	char *at = mmap(all + page, pages * page, protection, MAP_FIXED | flags, fd, 0);
	CHECK((void *)at != MAP_FAILED);
	madvise(at, pages * page, MADV_NOHUGEPAGE);
	return at;
}

static void mappings(void)
{
	char *memory = map(64, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct counts now = of(memory, 64);
	CHECK_EQ(now.mappings, 1);
	CHECK_EQ(now.size, 64 * page);
	CHECK_EQ(now.rss, 0);
	CHECK(strstr(now.flags, " rd ") && strstr(now.flags, " wr ") && !strstr(now.flags, " ex ") && !strstr(now.flags, " sh "));
	for (int i = 0; i < 20; i++)
		memory[i * 2 * page] = 1;
	now = of(memory, 64);
	CHECK_EQ(now.rss + now.swap, 20 * page);
	CHECK_EQ(now.anonymous, now.rss);
	CHECK_EQ(now.private, now.rss);
	CHECK_EQ(now.shared, 0);
	CHECK_EQ(now.pss, now.rss);
	CHECK_EQ(now.locked, 0);
	/* A page that was only read is the page of zeros. */
	CHECK_EQ(*(volatile char *)&memory[page], 0);
	now = of(memory, 64);
	CHECK_EQ(now.rss + now.swap, 20 * page);
	CHECK_OK(madvise(memory, 10 * page, MADV_DONTNEED));
	now = of(memory, 64);
	CHECK_EQ(now.rss + now.swap, 15 * page);
	CHECK_OK(mprotect(memory, 64 * page, PROT_READ));
	now = of(memory, 64);
	CHECK(strstr(now.flags, " rd ") && !strstr(now.flags, " wr "));

	char *shared = map(16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	memset(shared, 1, 4 * page);
	now = of(shared, 16);
	CHECK_EQ(now.rss + now.swap, 4 * page);
	CHECK_EQ(now.anonymous, 0);
	CHECK(strstr(now.flags, " sh ") != NULL);

	int file = open("/proc/self/exe", O_RDONLY);
	char *mapped = map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
	mapped[0] = 1;
	now = of(mapped, 2);
	CHECK(now.rss >= page);
	CHECK_EQ(now.anonymous + now.swap, page);
	close(file);
}

static void rollup(void)
{
	struct counts all = count("/proc/self/smaps", 0, -1UL);
	struct counts sum = count("/proc/self/smaps_rollup", 0, -1UL);
	CHECK(all.mappings > 3);
	CHECK_EQ(sum.mappings, 1);
	CHECK(sum.rss > 0 && sum.pss > 0 && sum.private > 0 && sum.anonymous > 0);
	CHECK(sum.rss <= all.rss + 64 * page && all.rss <= sum.rss + 64 * page);
	CHECK(sum.rss == sum.shared + sum.private);
	char line[256] = "";
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	CHECK(fgets(line, sizeof line, file) != NULL);
	CHECK(strstr(line, "---p 00000000 00:00 0 ") && strstr(line, " [rollup]\n"));
	fclose(file);
}

int main(void)
{
	page = sysconf(_SC_PAGESIZE);
	mappings();
	rollup();
	/* A child has its parent's pages. */
	char *memory = map(8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memset(memory, 1, 8 * page);
	pid_t pid = start();
	if (pid == 0) {
		struct counts now = of(memory, 8);
		CHECK_EQ(now.rss + now.swap, 8 * page);
		CHECK_EQ(now.anonymous, now.rss);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	return check_done();
}
