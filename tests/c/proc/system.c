/* What /proc tells of the system, and that its directories are consistent. */
#include <sys/sysinfo.h>
#include <ctype.h>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include "process.h"

static char text[1 << 18];

static ssize_t get(const char *path)
{
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	ssize_t n = 0, more;
	while ((more = read(fd, text + n, sizeof text - 1 - n)) > 0)
		n += more;
	text[n] = 0;
	close(fd);
	return n;
}

/* Every name has the inode and the kind that the listing says. */
static void consistent(const char *path)
{
	struct stat st;
	char name[512];
	DIR *dir = opendir(path);
	CHECK(dir != NULL);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		if (strcmp(e->d_name, "..") == 0 || isdigit((unsigned char)e->d_name[0]))
			continue;
		if (lstat(name, &st) != 0 || st.st_ino != e->d_ino ||
		    e->d_type != (S_ISDIR(st.st_mode) ? DT_DIR : S_ISLNK(st.st_mode) ? DT_LNK : DT_REG)) {
			printf("%s is not what is listed\n", name);
			check_failures++;
		}
	}
	if (dir)
		closedir(dir);
}

int main(void)
{
	struct utsname name;
	char line[128];
	CHECK_OK(uname(&name));
	CHECK(get("/proc/sys/kernel/hostname") > 0);
	snprintf(line, sizeof line, "%s\n", name.nodename);
	CHECK_STR(text, line);
	CHECK(get("/proc/sys/kernel/osrelease") > 0);
	snprintf(line, sizeof line, "%s\n", name.release);
	CHECK_STR(text, line);
	CHECK(get("/proc/sys/kernel/ostype") > 0);
	CHECK_STR(text, "Linux\n");
	CHECK(get("/proc/version") > 0);
	snprintf(line, sizeof line, "Linux version %s ", name.release);
	CHECK(strncmp(text, line, strlen(line)) == 0);
	CHECK(get("/proc/sys/kernel/pid_max") > 0);
	CHECK(atoi(text) > getpid());
	CHECK(get("/proc/sys/kernel/random/uuid") == 37);
	strcpy(line, text);
	CHECK(get("/proc/sys/kernel/random/uuid") == 37);
	CHECK(strcmp(line, text) != 0);
	CHECK(get("/proc/sys/kernel/random/boot_id") == 37);
	strcpy(line, text);
	CHECK(get("/proc/sys/kernel/random/boot_id") == 37);
	CHECK_STR(text, line);
	CHECK(get("/proc/sys/fs/pipe-max-size") > 0);
	CHECK(atoi(text) >= 65536);

	double up, idle;
	CHECK(get("/proc/uptime") > 0);
	CHECK_EQ(sscanf(text, "%lf %lf", &up, &idle), 2);
	CHECK(up >= 0);
	long long user, nice, system;
	CHECK(get("/proc/stat") > 0);
	CHECK_EQ(sscanf(text, "cpu  %lld %lld %lld", &user, &nice, &system), 3);
	CHECK(strstr(text, "\ncpu0 ") != NULL);
	CHECK(strstr(text, "\nbtime ") != NULL && strstr(text, "\nprocesses ") != NULL);
	double load[3];
	int running, all, last;
	CHECK(get("/proc/loadavg") > 0);
	CHECK_EQ(sscanf(text, "%lf %lf %lf %d/%d %d", load, load + 1, load + 2, &running, &all, &last), 6);
	/* sysinfo(2) says the same; it may have changed meanwhile. */
	struct sysinfo info;
	CHECK_OK(sysinfo(&info));
	CHECK(info.loads[0] / 65536.0 < load[0] + 3 && load[0] < info.loads[0] / 65536.0 + 3);
	CHECK(info.procs >= 1);
	CHECK(running >= 1 && all >= running && last >= getpid());
	unsigned long total;
	CHECK(get("/proc/meminfo") > 0);
	CHECK_EQ(sscanf(text, "MemTotal: %lu kB", &total), 1);
	CHECK(strstr(text, "\nMemAvailable:") != NULL);
	CHECK(get("/proc/cpuinfo") > 0);
	CHECK(strstr(text, "processor\t: 0\n") != NULL);
	CHECK(get("/proc/filesystems") > 0);
	CHECK(strstr(text, "nodev\tproc\n") != NULL);
	CHECK(get("/proc/mounts") > 0);
	CHECK(strstr(text, " /proc proc ") != NULL);
	CHECK(strstr(text, " / ") != NULL);
	CHECK(get("/proc/net/tcp") > 0);
	CHECK(strncmp(text, "  sl  local_address rem_address ", 32) == 0);
	CHECK(get("/proc/net/unix") > 0);
	CHECK(strncmp(text, "Num       RefCount Protocol Flags", 33) == 0);

	/* A file that is read again from its start is up to date. */
	int fd = open("/proc/uptime", O_RDONLY);
	char first[64] = "", second[64] = "";
	CHECK(read(fd, first, 63) > 0);
	sleep_ms(30);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK(read(fd, second, 63) > 0);
	CHECK(strcmp(first, second) != 0);
	sleep_ms(30);
	CHECK(pread(fd, first, 63, 0) > 0);
	CHECK(strcmp(first, second) != 0);
	CHECK_EQ(read(fd, first, 63), 0);
	CHECK_OK(close(fd));

	consistent("/proc/self");
	consistent("/proc/self/task");
	consistent("/proc/sys/kernel/random");
	CHECK(get("/proc/self/../self/comm") > 0);
	CHECK_STR(text, "system\n");
	CHECK(get("/proc/thread-self/comm") > 0);
	CHECK_STR(text, "system\n");
	CHECK_ERRNO(get("/proc/absent"), ENOENT);
	CHECK_ERRNO(get("/proc/01"), ENOENT);
	int self = 0;
	DIR *dir = opendir("/proc");
	for (struct dirent *e; dir && (e = readdir(dir));)
		self += atoi(e->d_name) == getpid();
	CHECK_EQ(self, 1);
	return check_done();
}
