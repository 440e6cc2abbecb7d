/* The objects of sysvipc(7) in /proc/sysvipc, and their limits in /proc/sys. */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include "process.h"

static char text[1 << 18];

static const char *get(const char *path)
{
	int fd = open(path, O_RDONLY);
	CHECK_OK(fd);
	ssize_t n = 0, more;
	while ((more = read(fd, text + n, sizeof text - 1 - n)) > 0)
		n += more;
	text[n] = 0;
	close(fd);
	return text;
}

/* The line of the object with this id. */
static const char *line(const char *path, int id)
{
	int key, found;
	for (const char *at = strchr(get(path), '\n'); at && at[1]; at = strchr(at + 1, '\n'))
		if (sscanf(at, "%d %d", &key, &found) == 2 && found == id)
			return at + 1;
	return "";
}

static void segments(void)
{
	struct shmid_ds status;
	int id = shmget(IPC_PRIVATE, 5000, 0640);
	char *memory = shmat(id, NULL, 0);
	CHECK(memory != (void *)-1);
	memory[0] = 1;
	CHECK_OK(shmctl(id, IPC_STAT, &status));
	int key, shown, mode, creator, last, attached, uid;
	unsigned long size, rss;
	unsigned long long attach;
	CHECK_EQ(sscanf(line("/proc/sysvipc/shm", id),
			"%d %d %o %lu %d %d %d %d %*d %*d %*d %llu %*u %*u %lu", &key, &shown, &mode,
			&size, &creator, &last, &attached, &uid, &attach, &rss), 10);
	CHECK(key == 0 && shown == id && mode == 0640 && size == 5000 && attached == 1);
	CHECK(creator == getpid() && last == getpid() && uid == (int)getuid());
	CHECK_EQ(attach, status.shm_atime);
	CHECK(rss >= 4096 && rss <= 8192);
	CHECK(strncmp(get("/proc/sysvipc/shm"),
		      "       key      shmid perms                  size  cpid  lpid nattch   uid   gid", 79) == 0);
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	CHECK_EQ(sscanf(line("/proc/sysvipc/shm", id), "%d %d %o", &key, &shown, &mode), 3);
	CHECK_EQ(mode, 01640);
	CHECK_OK(shmdt(memory));
	CHECK_STR(line("/proc/sysvipc/shm", id), "");
}

static void queues(void)
{
	struct { long type; char text[8]; } message = { 1, "1234567" };
	int id = msgget(IPC_PRIVATE, 0600), mode, sender, receiver;
	unsigned long bytes, count;
	CHECK_OK(msgsnd(id, &message, 8, 0));
	CHECK_EQ(sscanf(line("/proc/sysvipc/msg", id), "%*d %*d %o %lu %lu %d %d", &mode, &bytes,
			&count, &sender, &receiver), 5);
	CHECK(mode == 0600 && bytes == 8 && count == 1 && sender == getpid() && receiver == 0);
	CHECK(strncmp(get("/proc/sysvipc/msg"),
		      "       key      msqid perms      cbytes       qnum lspid lrpid   uid", 67) == 0);
	CHECK_OK(msgctl(id, IPC_RMID, NULL));
}

static void semaphores(void)
{
	int id = semget(0x4c494e44, 3, IPC_CREAT | 0600), key, mode, count;
	CHECK_OK(id);
	CHECK_EQ(sscanf(line("/proc/sysvipc/sem", id), "%d %*d %o %d", &key, &mode, &count), 3);
	CHECK(key == 0x4c494e44 && mode == 0600 && count == 3);
	CHECK(strncmp(get("/proc/sysvipc/sem"), "       key      semid perms      nsems   uid   gid", 50) == 0);
	CHECK_OK(semctl(id, 0, IPC_RMID));
}

static void limits(void)
{
	static const char *const names[] = {
		"kernel/shmmax", "kernel/shmall", "kernel/shmmni", "kernel/msgmax", "kernel/msgmnb",
		"kernel/msgmni", "fs/file-max", "fs/nr_open", "fs/mqueue/msg_max", "fs/mqueue/msgsize_max",
		"fs/mqueue/msg_default", "fs/mqueue/msgsize_default", "fs/mqueue/queues_max",
		"net/core/somaxconn",
	};
	char path[64];
	unsigned a, b, c, d;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/proc/sys/%s", names[i]);
		char end;
		unsigned long long value = 0;
		CHECK_EQ(sscanf(get(path), "%llu%c", &value, &end), 2);
		CHECK(value > 0 && end == '\n');
	}
	CHECK_EQ(sscanf(get("/proc/sys/kernel/sem"), "%u\t%u\t%u\t%u\n", &a, &b, &c, &d), 4);
	CHECK_EQ(sscanf(get("/proc/sys/vm/overcommit_memory"), "%u\n", &a), 1);
}

int main(void)
{
	segments();
	queues();
	semaphores();
	limits();
	return check_done();
}
