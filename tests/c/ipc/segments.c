/* Shared memory: attached, counted, shared by fork, kept until the last one detaches it.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include "ipc.h"

static struct shmid_ds state(int id)
{
	struct shmid_ds ds;
	memset(&ds, 0xff, sizeof ds);
	CHECK_OK(shmctl(id, IPC_STAT, &ds));
	return ds;
}

static int attached(int id)
{
	return (int)state(id).shm_nattch;
}

static void keys(void)
{
	key_t key = 0x5e63 ^ getpid() << 8;
	CHECK_ERRNO(shmget(key, 1, 0), ENOENT);
	int id = shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0600);
	CHECK_OK(id);
	CHECK_EQ(shmget(key, 0, 0), id);
	CHECK_EQ(shmget(key, 5000, IPC_CREAT), id);
	CHECK_ERRNO(shmget(key, 5001, 0), EINVAL);
	CHECK_ERRNO(shmget(key, 1, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	CHECK_ERRNO(shmget(key, 1, 0), ENOENT);
	CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERRNO(shmat(id, NULL, 0) == (void *)-1 ? -1 : 0, EINVAL);
	CHECK_ERRNO(shmat(-1, NULL, 0) == (void *)-1 ? -1 : 0, EINVAL);
}

static void *at(int id, const void *where, int flags)
{
	errno = 0;
	return shmat(id, where, flags);
}

static void attaching(void)
{
	int id = shmget(IPC_PRIVATE, 10000, 0600);
	struct shmid_ds ds = state(id);
	time_t now = time(NULL);
	CHECK_EQ(ds.shm_segsz, 10000);
	CHECK_EQ(ds.shm_perm.mode, 0600);
	CHECK_EQ(ds.shm_perm.uid, geteuid());
	CHECK_EQ(ds.shm_cpid, getpid());
	CHECK_EQ(ds.shm_lpid, 0);
	CHECK_EQ(ds.shm_nattch, 0);
	CHECK_EQ(ds.shm_atime, 0);
	CHECK_EQ(ds.shm_dtime, 0);
	CHECK(ds.shm_ctime >= now - 1 && ds.shm_ctime <= now + 5);

	char *one = at(id, NULL, 0), *two = at(id, NULL, 0);
	CHECK(one != (void *)-1 && two != (void *)-1 && one != two);
	CHECK((uintptr_t)one % SHMLBA == 0);
	CHECK_EQ(one[9999], 0);
	strcpy(one, "text");
	CHECK_STR(two, "text");
	CHECK_EQ(attached(id), 2);
	ds = state(id);
	CHECK_EQ(ds.shm_lpid, getpid());
	CHECK(ds.shm_atime >= now - 1);

	char *reader = at(id, NULL, SHM_RDONLY);
	CHECK(reader != (void *)-1);
	CHECK_STR(reader, "text");
	CHECK_ERRNO(mprotect(reader, 4096, PROT_READ | PROT_WRITE), EACCES);
	CHECK_EQ(attached(id), 3);
	CHECK_OK(shmdt(reader));
	CHECK_EQ(attached(id), 2);
	CHECK(state(id).shm_dtime >= now - 1);

	CHECK_ERRNO(shmdt(one + 4096), EINVAL);
	CHECK_ERRNO(shmdt(one + 1), EINVAL);
	CHECK_OK(shmdt(two));
	CHECK_ERRNO(shmdt(two), EINVAL);

	/* At an address: rounded down if asked, never onto something without SHM_REMAP. */
	CHECK(at(id, two + 1, 0) == (void *)-1 && errno == EINVAL);
	CHECK(at(id, two + 1, SHM_RND) == two);
	CHECK(at(id, two, 0) == (void *)-1 && errno == EINVAL);
	CHECK(at(id, NULL, SHM_REMAP) == (void *)-1 && errno == EINVAL);
	CHECK(at(id, two, SHM_REMAP) == two);
	CHECK_STR(two, "text");
	CHECK_EQ(attached(id), 2);

	/* Parts that are unmapped count no more; the rest is detached together. */
	CHECK_OK(munmap(two, 4096));
	CHECK_EQ(attached(id), 2);
	CHECK_OK(munmap(two + 4096, 4096));
	CHECK_EQ(attached(id), 2);
	CHECK_OK(munmap(two + 8192, 4096));
	CHECK_EQ(attached(id), 1);
	CHECK_ERRNO(shmdt(two), EINVAL);
	CHECK(at(id, two, 0) == two);
	CHECK_OK(mprotect(two + 4096, 4096, PROT_READ));
	CHECK_EQ(attached(id), 4);
	CHECK_OK(munmap(two, 4096));
	CHECK_OK(shmdt(two));
	CHECK_EQ(attached(id), 1);
	CHECK_EQ(mmap(two, 12288, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == two, 1);
	CHECK_OK(munmap(two, 12288));

	CHECK_OK(shmdt(one));
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
}

static void permissions(void)
{
	key_t key = 0x9e7a ^ getpid() << 8;
	int id = shmget(key, 100, IPC_CREAT | 0400);
	CHECK(at(id, NULL, 0) == (void *)-1 && errno == EACCES);
	char *reader = at(id, NULL, SHM_RDONLY);
	CHECK(reader != (void *)-1);
	CHECK(at(id, NULL, SHM_RDONLY | SHM_EXEC) == (void *)-1 && errno == EACCES);
	CHECK_ERRNO(shmget(key, 100, 0600), EACCES);
	struct shmid_ds ds = state(id);
	ds.shm_perm.mode = 0700;
	CHECK_OK(shmctl(id, IPC_SET, &ds));
	CHECK_EQ(state(id).shm_perm.mode, 0700);
	char *writer = at(id, NULL, SHM_EXEC);
	CHECK(writer != (void *)-1);
	*writer = 'x';
	CHECK_EQ(*reader, 'x');
	ds.shm_perm.mode = 0;
	CHECK_OK(shmctl(id, IPC_SET, &ds));
	CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EACCES);
	CHECK_OK(shmctl(id, SHM_LOCK, NULL));
	CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
	CHECK_OK(shmdt(reader));
	CHECK_OK(shmdt(writer));
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
}

static void processes(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	volatile int *shared = at(id, NULL, 0);
	struct gate go = gate();
	pid_t pid = start();
	if (pid == 0) {
		gate_wait(&go);
		CHECK_EQ(*shared, 41);
		*shared = 42;
		finish();
	}
	CHECK_EQ(attached(id), 2);
	*shared = 41;
	gate_open(&go);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(*shared, 42);
	CHECK_EQ(attached(id), 1);
	CHECK_EQ(state(id).shm_lpid, pid);

	/* exec detaches. */
	pid = start();
	if (pid == 0) {
		execl("/proc/self/exe", "segments", "exec", NULL);
		_exit(1);
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(attached(id), 1);

	/* To be destroyed, but still there for those who know the id, until the last one has gone. */
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	CHECK_EQ(*shared, 42);
	struct shmid_ds ds = state(id);
	CHECK_EQ(ds.shm_perm.mode & ~0777, SHM_DEST);
	CHECK_EQ(ds.shm_perm.__key, IPC_PRIVATE);
	int *again = at(id, NULL, 0);
	CHECK(again != (void *)-1);
	CHECK_EQ(*again, 42);
	CHECK_OK(shmdt(again));
	pid = start();
	if (pid == 0) {
		gate_wait(&go);
		CHECK_EQ(*shared, 43);
		CHECK_EQ(attached(id), 1);
		finish();
	}
	*shared = 43;
	CHECK_OK(shmdt((void *)shared));
	gate_open(&go);
	CHECK_EQ(ended(pid), 0);
	CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
	CHECK(at(id, NULL, 0) == (void *)-1 && errno == EINVAL);
}

static void information(void)
{
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	struct shminfo limits;
	CHECK_OK(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits));
	CHECK_EQ(limits.shmmni, 4096);
	CHECK_EQ(limits.shmmin, 1);
	struct shm_info info;
	int greatest = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	CHECK_OK(greatest);
	CHECK(info.used_ids >= 1 && info.shm_tot >= 2);
	int found = 0;
	struct shmid_ds ds;
	for (int place = 0; place <= greatest; place++)
		found += shmctl(place, SHM_STAT, &ds) == id && ds.shm_segsz == 8192;
	CHECK_EQ(found, 1);
	CHECK_ERRNO(shmctl(id, 99, &ds), EINVAL);
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0;
	as_nobody();
	keys();
	attaching();
	permissions();
	processes();
	information();
	return check_done();
}
