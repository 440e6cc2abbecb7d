/* Why an exec fails; the caller goes on as if nothing had been.
 *
 * @in scratch
 */
#include <pthread.h>
#include <sys/stat.h>
#include "process.h"

static char *args[] = { "x", NULL };
static volatile int calls;
static volatile unsigned turns;
static volatile int stop;

static void on_signal(int signo)
{
	(void)signo;
	calls++;
}

static void file(const char *name, const char *content, size_t length, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK_EQ(write(fd, content, length), length);
	CHECK_OK(fchmod(fd, mode));
	CHECK_OK(close(fd));
}

static int run(const char *name)
{
	return execve(name, args, args + 1);
}

static void *turn(void *argument)
{
	while (!stop)
		turns++;
	return argument;
}

int main(void)
{
	char name[5000];
	pthread_t thread;
	/* All this must survive the failures below. */
	CHECK_OK(handle(SIGUSR1, on_signal, 0));
	int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(pthread_create(&thread, NULL, turn, NULL), 0);
	double live = turns * 0.5;
	volatile double copy = live;

	file("plain", "text\n", 5, 0644);
	file("text", "no program\n", 11, 0755);
	file("empty", "", 0, 0755);
	file("elf", "\177ELFwrong", 9, 0755);
	file("wasm", "\0asm\1\0\0", 7, 0755);
	file("broken", "\0asm\1\0\0\0garbage", 15, 0755);
	file("lost", "#!/nonexistent/interpreter\n", 27, 0755);
	file("nothing", "#!\n", 3, 0755);
	file("blank", "#!   \n", 6, 0755);
	file("relative", "#!plain\n", 8, 0755);
	file("directory", "#!/\n", 4, 0755);
	file("itself", "#!itself\n", 9, 0755);
	file("other", "#!  text  x\n", 12, 0755);
	CHECK_OK(symlink("loop", "loop"));
	CHECK_OK(symlink("gone", "dangling"));
	CHECK_OK(mkdir("dir", 0755));
	CHECK_OK(mkfifo("fifo", 0755));

	CHECK_ERRNO(run("missing"), ENOENT);
	CHECK_ERRNO(run(""), ENOENT);
	CHECK_ERRNO(run("dangling"), ENOENT);
	CHECK_ERRNO(run("missing/x"), ENOENT);
	CHECK_ERRNO(run("plain/x"), ENOTDIR);
	CHECK_ERRNO(run("loop"), ELOOP);
	CHECK_ERRNO(run("plain"), EACCES);
	CHECK_ERRNO(run("dir"), EACCES);
	CHECK_ERRNO(run("fifo"), EACCES);
	CHECK_ERRNO(run("/dev/null"), EACCES);
	CHECK_ERRNO(run("text"), ENOEXEC);
	CHECK_ERRNO(run("empty"), ENOEXEC);
	CHECK_ERRNO(run("elf"), ENOEXEC);
	CHECK_ERRNO(run("wasm"), ENOEXEC);
	CHECK_ERRNO(run("broken"), ENOEXEC);
	CHECK_ERRNO(run("lost"), ENOENT);
	CHECK_ERRNO(run("nothing"), ENOEXEC);
	CHECK_ERRNO(run("blank"), ENOEXEC);
	CHECK_ERRNO(run("relative"), EACCES);
	CHECK_ERRNO(run("directory"), EACCES);
	CHECK_ERRNO(run("itself"), ELOOP);
	CHECK_ERRNO(run("other"), ENOEXEC);
	memset(name, 'n', 4999);
	name[4999] = 0;
	CHECK_ERRNO(run(name), ENAMETOOLONG);
	name[300] = 0;
	CHECK_ERRNO(run(name), ENAMETOOLONG);

	CHECK_ERRNO(execlp("no-such-program-anywhere", "x", (char *)NULL), ENOENT);
	CHECK_ERRNO(execl("plain", "x", (char *)NULL), EACCES);

	CHECK(copy == live);
	CHECK_EQ(fcntl(kept, F_GETFD), FD_CLOEXEC);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(calls, 1);
	/* The other thread is still turning. */
	for (unsigned seen = turns; turns == seen;)
		usleep(100);
	stop = 1;
	CHECK_EQ(pthread_join(thread, NULL), 0);
	return check_done();
}
