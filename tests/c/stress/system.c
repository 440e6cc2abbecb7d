/* Stress of clocks, devices, /proc and what the library does itself.
 * @libs -lpthread -lm
 */
#include <dirent.h>
#include <math.h>
#include <poll.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <setjmp.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include "stress.h"

static int64_t now(clockid_t clock)
{
	struct timespec time;
	CHECK_OK(clock_gettime(clock, &time));
	CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void clocks(int worker)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	int64_t last[COUNT(clocks)] = { 0 };
	(void)worker;
	for (int i = 0; i < 2000; i++)
		for (size_t k = 0; k < COUNT(clocks); k++) {
			int64_t time = now(clocks[k]);
			CHECK(time >= last[k]);
			last[k] = time;
		}
}

static void sleeps(int worker)
{
	(void)worker;
	for (int i = 0; i < 30; i++) {
		int64_t before = now(CLOCK_MONOTONIC);
		struct timespec brief = { 0, 1000000 }, until = { 0, 0 };
		CHECK_OK(nanosleep(&brief, NULL));
		CHECK(now(CLOCK_MONOTONIC) - before >= 1000000);
		until.tv_sec = (before + 3000000) / 1000000000;
		until.tv_nsec = (before + 3000000) % 1000000000;
		CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
		CHECK(now(CLOCK_MONOTONIC) - before >= 3000000);
		CHECK_EQ(poll(NULL, 0, 2), 0);
		CHECK(now(CLOCK_MONOTONIC) - before >= 5000000);
	}
}

static void yields(int worker)
{
	(void)worker;
	for (int i = 0; i < 3000; i++)
		CHECK_OK(sched_yield());
}

static void random_numbers(int worker)
{
	unsigned char bytes[256], counts[256] = { 0 };
	(void)worker;
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(getrandom(bytes, sizeof bytes, 0), sizeof bytes);
		for (size_t k = 0; k < sizeof bytes; k++)
			counts[bytes[k]] = 1;
	}
	int all = 0;
	for (int k = 0; k < 256; k++)
		all += counts[k];
	CHECK_EQ(all, 256);
}

static void devices(int worker)
{
	char bytes[4096];
	(void)worker;
	int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR), full = open("/dev/full", O_RDWR);
	for (int i = 0; i < 500; i++) {
		memset(bytes, 1, sizeof bytes);
		CHECK_EQ(read(zero, bytes, sizeof bytes), sizeof bytes);
		CHECK(bytes[0] == 0 && memcmp(bytes, bytes + 1, sizeof bytes - 1) == 0);
		CHECK_EQ(write(null, bytes, sizeof bytes), sizeof bytes);
		CHECK_EQ(read(null, bytes, sizeof bytes), 0);
		CHECK_ERRNO(write(full, bytes, 1), ENOSPC);
		CHECK_EQ(read(full, bytes, 10), 10);
	}
	close(zero), close(null), close(full);
}

/* Reads all that can be read below a directory of /proc; what it says is not the same anywhere. */
static void look_into(const char *path, int depth)
{
	static char text[70000];
	DIR *dir = opendir(path);
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		char name[512];
		struct stat is;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (lstat(name, &is) < 0)
			continue;
		if (S_ISLNK(is.st_mode))
			(void)!readlink(name, text, sizeof text);
		else if (S_ISDIR(is.st_mode) && depth > 0)
			look_into(name, depth - 1);
		else if (S_ISREG(is.st_mode) && is.st_mode & 0444) {
			int fd = open(name, O_RDONLY | O_NONBLOCK);
			for (int i = 0; fd >= 0 && i < 4 && read(fd, text, sizeof text) > 0; i++)
				;
			close(fd);
		}
	}
	if (dir)
		closedir(dir);
}

static void processes_shown(int worker)
{
	/* While processes come and go. */
	(void)worker;
	pid_t pid = start();
	if (pid == 0)
		for (;;) {
			pid_t child = start();
			if (child == 0)
				_exit(0);
			ended(child);
		}
	for (int i = 0; i < 3; i++) {
		char path[32];
		look_into("/proc/self", 1);
		snprintf(path, sizeof path, "/proc/%d", pid);
		look_into(path, 1);
	}
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ended(pid), 128 + SIGKILL);
}

static void about(int worker)
{
	(void)worker;
	for (int i = 0; i < 500; i++) {
		struct utsname name;
		struct sysinfo info;
		CHECK_OK(uname(&name));
		CHECK_STR(name.sysname, "Linux");
		CHECK_OK(sysinfo(&info));
		CHECK(info.procs > 0 && info.totalram > 0);
		CHECK_EQ(getppid() > 0, 1);
		CHECK(sysconf(_SC_NPROCESSORS_ONLN) > 0);
	}
}

static void environments(int worker)
{
	char name[32], value[32];
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "NAME%d", i);
		snprintf(value, sizeof value, "%d", i * worker);
		CHECK_OK(setenv(name, value, 1));
	}
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "NAME%d", i);
		snprintf(value, sizeof value, "%d", i * worker);
		CHECK_STR(getenv(name), value);
		CHECK_OK(unsetenv(name));
		CHECK(getenv(name) == NULL);
	}
}

static int rising(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void sorts(int worker)
{
	static uint32_t numbers[20000];
	uint32_t state = worker;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT(numbers); i++)
			numbers[i] = next_number(&state);
		uint32_t wanted = numbers[77];
		qsort(numbers, COUNT(numbers), sizeof *numbers, rising);
		for (size_t i = 1; i < COUNT(numbers); i++)
			CHECK(numbers[i - 1] <= numbers[i]);
		uint32_t *found = bsearch(&wanted, numbers, COUNT(numbers), sizeof *numbers, rising);
		CHECK(found && *found == wanted);
	}
}

static void trees(int worker)
{
	static uint32_t numbers[3000];
	void *root = NULL;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		numbers[i] = i * 2654435761u + worker;
		CHECK(tsearch(&numbers[i], &root, rising) != NULL);
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		uint32_t **node = tfind(&numbers[i], &root, rising);
		CHECK(node && **node == numbers[i]);
	}
	for (size_t i = 0; i < COUNT(numbers); i++)
		CHECK(tdelete(&numbers[i], &root, rising) != NULL);
	CHECK(root == NULL);
}

static void numbers_as_text(int worker)
{
	uint32_t state = worker;
	for (int i = 0; i < 3000; i++) {
		char text[64], *end;
		double value = (double)next_number(&state) / (1 + next_number(&state)) - 3, back;
		snprintf(text, sizeof text, "%.17g", value);
		CHECK(strtod(text, &end) == value && *end == 0);
		CHECK_EQ(sscanf(text, "%lf", &back), 1);
		CHECK(back == value);
		long long whole = ((long long)next_number(&state) << 30) - next_number(&state);
		snprintf(text, sizeof text, "%lld", whole);
		CHECK(strtoll(text, NULL, 10) == whole);
	}
}

static void expressions(int worker)
{
	regex_t expression;
	regmatch_t match[3];
	char text[64];
	(void)worker;
	CHECK_EQ(regcomp(&expression, "^([a-z]+)-([0-9]+)$", REG_EXTENDED), 0);
	for (int i = 0; i < 1000; i++) {
		int length = snprintf(text, sizeof text, "%.*s-%d", 1 + i % 20, "abcdefghijklmnopqrstuvwxyz", i);
		CHECK_EQ(regexec(&expression, text, 3, match, 0), 0);
		CHECK_EQ(match[1].rm_eo, 1 + i % 20);
		CHECK_EQ(match[2].rm_eo, length);
		text[0] = 'X';
		CHECK_EQ(regexec(&expression, text, 3, match, 0), REG_NOMATCH);
	}
	regfree(&expression);
}

static void matrices(int worker)
{
	static double a[64][64], b[64][64], c[64][64];
	for (int i = 0; i < 64; i++)
		for (int k = 0; k < 64; k++) {
			a[i][k] = i == k ? 2 : 0;
			b[i][k] = i * 64 + k + worker;
		}
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 64; i++)
			for (int j = 0; j < 64; j++) {
				c[i][j] = 0;
				for (int k = 0; k < 64; k++)
					c[i][j] += a[i][k] * b[k][j];
			}
		for (int i = 0; i < 64; i++)
			for (int j = 0; j < 64; j++)
				CHECK(c[i][j] == 2 * b[i][j]);
	}
}

static void mathematics(int worker)
{
	for (int i = 1; i < 5000; i++) {
		double x = i / 100.0 + worker;
		CHECK(fabs(sin(x) * sin(x) + cos(x) * cos(x) - 1) < 1e-12);
		CHECK(fabs(exp(log(x)) - x) < 1e-9 * x);
		CHECK(fabs(sqrt(x) * sqrt(x) - x) < 1e-12 * x);
		CHECK(fabs(pow(x, 3) - x * x * x) < 1e-9 * x * x * x);
		CHECK(fabs(cbrt(x * x * x) - x) < 1e-9 * x);
	}
}

static void jumps(int worker)
{
	jmp_buf here;
	volatile int jumped = 0;
	(void)worker;
	for (volatile int i = 0; i < 3000; i++) {
		if (setjmp(here) == 0)
			longjmp(here, 1);
		jumped++;
	}
	CHECK_EQ(jumped, 3000);
}

static const struct stressor stressors[] = {
	{ "clocks", clocks },	  { "sleeps", sleeps },	    { "yields", yields },
	{ "random", random_numbers }, { "devices", devices }, { "processes-shown", processes_shown },
	{ "about", about },	  { "environments", environments }, { "sorts", sorts },
	{ "trees", trees },	  { "numbers", numbers_as_text }, { "expressions", expressions },
	{ "matrices", matrices }, { "mathematics", mathematics }, { "jumps", jumps },
};

int main(void)
{
	return STRESS(stressors);
}
