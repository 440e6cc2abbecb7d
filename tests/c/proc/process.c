/* What /proc tells of processes: of the caller, of its children, of dead ones.
 *
 * @args one "two words"
 * @env PROC_TEST=yes
 */
#include <ctype.h>
#include <dirent.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <pthread.h>
#include "process.h"

static char text[1 << 16];

/* Reads a file of a process's directory; the number of bytes, or -1. */
static ssize_t get(pid_t pid, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	ssize_t n = 0, more;
	while ((more = read(fd, text + n, sizeof text - 1 - n)) > 0)
		n += more;
	text[n] = 0;
	close(fd);
	return more < 0 ? -1 : n;
}

/* A line of a status file, without its name. */
static const char *line(const char *name)
{
	static char value[256];
	size_t length = strlen(name);
	for (char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, name, length) == 0 && at[length] == ':') {
			at += length + 1;
			while (*at == ' ' || *at == '\t')
				at++;
			snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\n"), at);
			return value;
		}
	return "(none)";
}

/* A field of stat, counted as in proc(5), from 3 on. */
static long long field(int number)
{
	char *at = strrchr(text, ')');
	for (int i = 2; at && i < number; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : -77;
}

static char state(pid_t pid)
{
	char *end = get(pid, "stat") > 0 ? strrchr(text, ')') : NULL;
	return end ? end[2] : '?';
}

static char state_in_time(pid_t pid, char wanted)
{
	for (int i = 0; i < 200 && state(pid) != wanted; i++)
		sleep_ms(10);
	return state(pid);
}

static void own(int argc, char **argv)
{
	(void)argc;
	pid_t me = getpid();
	ssize_t n = get(me, "cmdline");
	CHECK(n > 0 && memcmp(text + n - 14, "one\0two words", 14) == 0);
	CHECK_STR(text, argv[0]);
	n = get(me, "environ");
	CHECK(n > 0 && memmem(text, n, "PROC_TEST=yes", 14) != NULL);
	CHECK(get(me, "comm") > 0);
	CHECK_STR(text, "process\n");
	CHECK_OK(prctl(PR_SET_NAME, "re named) R"));
	CHECK(get(me, "comm") > 0);
	CHECK_STR(text, "re named) R\n");
	CHECK(get(me, "stat") > 0);
	int pid;
	char name[32] = "";
	CHECK_EQ(sscanf(text, "%d (%16[^\n]", &pid, name), 2);
	CHECK_EQ(pid, me);
	CHECK(strncmp(name, "re named) R) R ", 15) == 0);
	CHECK_EQ(field(4), getppid());
	CHECK_EQ(field(5), getpgrp());
	CHECK_EQ(field(6), getsid(0));
	CHECK_EQ(field(19), getpriority(PRIO_PROCESS, 0));
	CHECK_EQ(field(20), 1);
	CHECK(field(22) >= 0);
	CHECK(field(23) > 0 && field(24) > 0);
	int fields = 2;
	for (char *at = strrchr(text, ')'); *at; at++)
		fields += *at == ' ';
	CHECK_EQ(fields, 52);
	int fd = open("/proc/self/comm", O_RDWR);
	CHECK_OK(fd);
	CHECK_EQ(write(fd, "written", 7), 7);
	CHECK_OK(close(fd));
	CHECK_OK(prctl(PR_GET_NAME, name));
	CHECK_STR(name, "written");

	CHECK(get(me, "status") > 0);
	CHECK_STR(line("Name"), "written");
	CHECK_STR(line("State"), "R (running)");
	CHECK_EQ(atoi(line("Pid")), me);
	CHECK_EQ(atoi(line("Tgid")), me);
	CHECK_EQ(atoi(line("PPid")), getppid());
	CHECK_EQ(atoi(line("Threads")), 1);
	CHECK_EQ(atoi(line("TracerPid")), 0);
	mode_t mask = umask(027);
	CHECK(get(me, "status") > 0);
	CHECK_STR(line("Umask"), "0027");
	umask(mask);
	char ids[64];
	snprintf(ids, sizeof ids, "%d\t%d\t%d\t%d", getuid(), geteuid(), geteuid(), geteuid());
	CHECK_STR(line("Uid"), ids);
	snprintf(ids, sizeof ids, "%d\t%d\t%d\t%d", getgid(), getegid(), getegid(), getegid());
	CHECK_STR(line("Gid"), ids);
	CHECK(atol(line("VmSize")) > 0 && atol(line("VmRSS")) > 0);
	CHECK(strstr(line("VmSize"), " kB") != NULL);
	handle(SIGUSR1, SIG_IGN, 0);
	handle(SIGUSR2, (void (*)(int))own, 0);
	mask = 0;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(me, SIGHUP);
	CHECK(get(me, "status") > 0);
	CHECK_EQ(strtoull(line("ShdPnd"), NULL, 16), 1ull << (SIGHUP - 1));
	CHECK_EQ(strtoull(line("SigBlk"), NULL, 16), 1ull << (SIGHUP - 1));
	CHECK(strtoull(line("SigIgn"), NULL, 16) & 1ull << (SIGUSR1 - 1));
	CHECK(strtoull(line("SigCgt"), NULL, 16) & 1ull << (SIGUSR2 - 1));
	handle(SIGHUP, SIG_IGN, 0);
	handle(SIGHUP, SIG_DFL, 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);

	unsigned long size, resident;
	CHECK(get(me, "statm") > 0);
	CHECK_EQ(sscanf(text, "%lu %lu", &size, &resident), 2);
	CHECK(size >= resident && resident > 0);
	char *memory = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(memory, 1, 8 << 20);
	unsigned long more, more_resident;
	CHECK(get(me, "statm") > 0);
	CHECK_EQ(sscanf(text, "%lu %lu", &more, &more_resident), 2);
	CHECK(more - size >= 2048 && more_resident - resident >= 2000);

	struct rlimit limit = { 100, 200 };
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK(get(me, "limits") > 0);
	CHECK(strstr(text, "Max open files            100                  200                  files     \n") != NULL);
	CHECK(strncmp(text, "Limit                     Soft Limit           Hard Limit           Units     \n", 79) == 0);
	CHECK(get(me, "maps") > 0);
	unsigned long start, end;
	char access[5];
	CHECK_EQ(sscanf(text, "%lx-%lx %4s ", &start, &end, access), 3);
	CHECK(start < end);
	CHECK(get(me, "mounts") > 0 && get(me, "mountinfo") > 0);
	CHECK(get(me, "cgroup") >= 0);
}

static void children(void)
{
	pid_t pid = start();
	if (pid == 0)
		for (;;)
			pause();
	CHECK_EQ(state_in_time(pid, 'S'), 'S');
	CHECK_EQ(field(4), getpid());
	kill(pid, SIGSTOP);
	CHECK_EQ(state_in_time(pid, 'T'), 'T');
	kill(pid, SIGCONT);
	CHECK_EQ(state_in_time(pid, 'S'), 'S');
	kill(pid, SIGKILL);
	CHECK_EQ(state_in_time(pid, 'Z'), 'Z');
	CHECK_EQ(field(23), 0);
	CHECK_EQ(get(pid, "cmdline"), 0);
	CHECK_EQ(get(pid, "maps"), 0);
	CHECK(get(pid, "status") > 0);
	CHECK_STR(line("State"), "Z (zombie)");
	CHECK_STR(line("VmSize"), "(none)");
	char path[64], target[64];
	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	CHECK_ERRNO(readlink(path, target, sizeof target), ENOENT);
	CHECK_EQ(ended(pid), 128 + SIGKILL);
	CHECK_ERRNO(get(pid, "stat"), ENOENT);
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	struct stat st;
	CHECK_ERRNO(stat(path, &st), ENOENT);

	pid = start();
	if (pid == 0)
		for (volatile int spin = 0;; spin++)
			;
	CHECK_EQ(state_in_time(pid, 'R'), 'R');
	for (int i = 0; i < 500 && field(14) + field(15) < 5; i++) {
		sleep_ms(10);
		get(pid, "stat");
	}
	CHECK(field(14) + field(15) >= 5);
	long long began = field(22);
	CHECK(get(getpid(), "stat") > 0);
	CHECK(began >= field(22));
	kill(pid, SIGKILL);
	ended(pid);
}

static int number_of(const char *directory)
{
	int count = 0;
	DIR *dir = opendir(directory);
	CHECK(dir != NULL);
	for (struct dirent *e; dir && (e = readdir(dir));)
		count += isdigit((unsigned char)e->d_name[0]) != 0;
	if (dir)
		closedir(dir);
	return count;
}

static struct gate named;
static struct gate done;
static pid_t tid;

static void *thread(void *unused)
{
	tid = gettid();
	prctl(PR_SET_NAME, "second");
	gate_open(&named);
	gate_wait(&done);
	return unused;
}

static void threads(void)
{
	pthread_t second;
	char path[64];
	named = gate();
	done = gate();
	CHECK_EQ(number_of("/proc/self/task"), 1);
	CHECK_EQ(pthread_create(&second, NULL, thread, NULL), 0);
	gate_wait(&named);
	CHECK_EQ(number_of("/proc/self/task"), 2);
	snprintf(path, sizeof path, "task/%d/comm", (int)tid);
	CHECK(get(getpid(), path) > 0);
	CHECK_STR(text, "second\n");
	snprintf(path, sizeof path, "task/%d/stat", (int)tid);
	CHECK(get(getpid(), path) > 0);
	CHECK_EQ(atoi(text), tid);
	CHECK_EQ(field(20), 2);
	snprintf(path, sizeof path, "task/%d/status", (int)tid);
	CHECK(get(getpid(), path) > 0);
	CHECK_EQ(atoi(line("Pid")), tid);
	CHECK_EQ(atoi(line("Tgid")), getpid());
	CHECK_EQ(pthread_setname_np(second, "from outside"), 0);
	snprintf(path, sizeof path, "task/%d/comm", (int)tid);
	CHECK(get(getpid(), path) > 0);
	CHECK_STR(text, "from outside\n");
	CHECK_ERRNO(get(getpid(), "task/1/stat"), ENOENT);
	gate_open(&done);
	pthread_join(second, NULL);
	for (int i = 0; i < 100 && number_of("/proc/self/task") > 1; i++)
		sleep_ms(10);
	CHECK_EQ(number_of("/proc/self/task"), 1);
}

static void files(void)
{
	char path[64], target[256] = "";
	struct stat a, b;
	int fds[2];
	CHECK_OK(pipe2(fds, O_CLOEXEC));
	int fd = open("/dev/null", O_WRONLY | O_APPEND);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	CHECK(readlink(path, target, sizeof target - 1) > 0);
	CHECK_STR(target, "/dev/null");
	CHECK_OK(lstat(path, &a));
	CHECK(S_ISLNK(a.st_mode));
	CHECK_EQ(a.st_mode & 07777, 0300);
	CHECK_EQ(a.st_size, 64);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
	CHECK_OK(lstat(path, &a));
	CHECK_EQ(a.st_mode & 07777, 0500);
	memset(target, 0, sizeof target);
	CHECK(readlink(path, target, sizeof target - 1) > 0);
	CHECK(strncmp(target, "pipe:[", 6) == 0);
	CHECK_OK(stat(path, &a));
	CHECK_OK(fstat(fds[0], &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	CHECK_EQ((unsigned long long)b.st_ino, strtoull(target + 6, NULL, 10));
	snprintf(path, sizeof path, "fdinfo/%d", fd);
	CHECK(get(getpid(), path) > 0);
	CHECK_STR(line("pos"), "0");
	CHECK_EQ(strtol(line("flags"), NULL, 8) & (O_ACCMODE | O_APPEND | O_CLOEXEC), O_WRONLY | O_APPEND);
	snprintf(path, sizeof path, "fdinfo/%d", fds[1]);
	CHECK(get(getpid(), path) > 0);
	CHECK_EQ(strtol(line("flags"), NULL, 8) & (O_ACCMODE | O_CLOEXEC), O_WRONLY | O_CLOEXEC);
	CHECK_OK(stat("/proc/self", &a));
	CHECK_EQ(a.st_uid, geteuid());
	CHECK_EQ(a.st_mode, S_IFDIR | 0555);
	CHECK_OK(stat("/proc/self/fd", &a));
	CHECK_EQ(a.st_mode, S_IFDIR | 0500);
	CHECK_OK(stat("/proc/self/environ", &a));
	CHECK_EQ(a.st_mode, S_IFREG | 0400);
	if (geteuid() != 0)
		CHECK_ERRNO(open("/proc/self/stat", O_WRONLY), EACCES);
	CHECK_ERRNO(mkdir("/proc/self/new", 0700), ENOENT);
	CHECK_ERRNO(open("/proc/self/fd/x", O_RDONLY), ENOENT);
}

int main(int argc, char **argv)
{
	own(argc, argv);
	children();
	threads();
	files();
	return check_done();
}
