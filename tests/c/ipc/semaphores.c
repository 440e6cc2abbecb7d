/* Sets of semaphores: made, found by key, changed all at once or not at all, described, removed.
 */
#include <limits.h>
#include <sys/sem.h>
#include "ipc.h"

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static void keys(void)
{
	key_t key = 0x5e31 ^ getpid() << 8;
	CHECK_ERRNO(semget(key, 1, 0), ENOENT);
	int id = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
	CHECK_OK(id);
	CHECK_EQ(semget(key, 0, 0), id);
	CHECK_EQ(semget(key, 3, IPC_CREAT | 0600), id);
	CHECK_ERRNO(semget(key, 4, 0), EINVAL);
	CHECK_ERRNO(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	CHECK_OK(semctl(id, 0, IPC_RMID));
	CHECK_ERRNO(semget(key, 3, 0), ENOENT);
	CHECK_ERRNO(semctl(id, 0, GETVAL), EINVAL);
	CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERRNO(semget(IPC_PRIVATE, -1, 0600), EINVAL);
	CHECK_ERRNO(semget(IPC_PRIVATE, 32001, 0600), EINVAL);
	int one = semget(IPC_PRIVATE, 1, 0600), two = semget(IPC_PRIVATE, 1, 0600);
	CHECK(one != two && one >= 0 && two >= 0);
	CHECK_OK(semctl(one, 0, IPC_RMID));
	CHECK_OK(semctl(two, 0, IPC_RMID));
	int again = semget(IPC_PRIVATE, 1, 0600);
	CHECK(again != one && again != two);
	CHECK_OK(semctl(again, 0, IPC_RMID));
}

static void values(void)
{
	int id = semget(IPC_PRIVATE, 3, 0600);
	unsigned short all[3] = { 1, 2, 3 };
	CHECK_OK(semctl(id, 0, SETALL, (union semun){ .array = all }));
	CHECK_EQ(semctl(id, 0, GETVAL), 1);
	CHECK_EQ(semctl(id, 2, GETVAL), 3);
	CHECK_EQ(semctl(id, 1, GETPID), getpid());
	CHECK_OK(semctl(id, 1, SETVAL, (union semun){ .val = 32767 }));
	memset(all, 0, sizeof all);
	CHECK_OK(semctl(id, 0, GETALL, (union semun){ .array = all }));
	CHECK(all[0] == 1 && all[1] == 32767 && all[2] == 3);
	CHECK_ERRNO(semctl(id, 1, SETVAL, (union semun){ .val = 32768 }), ERANGE);
	CHECK_ERRNO(semctl(id, 1, SETVAL, (union semun){ .val = -1 }), ERANGE);
	CHECK_ERRNO(semctl(id, 3, SETVAL, (union semun){ .val = 1 }), EINVAL);
	CHECK_ERRNO(semctl(id, 3, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(id, -1, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(id, 0, 99), EINVAL);
	CHECK_ERRNO(semctl(-1, 0, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(id, 0, GETALL, (union semun){ .array = (void *)1 }), EFAULT);
	CHECK_ERRNO(semctl(id, 0, SETALL, (union semun){ .array = (void *)1 }), EFAULT);
	all[0] = 32768;
	CHECK_ERRNO(semctl(id, 0, SETALL, (union semun){ .array = all }), ERANGE);
	CHECK_EQ(semctl(id, 0, GETVAL), 1);
	CHECK_OK(semctl(id, 0, IPC_RMID));
}

static void operations(void)
{
	int id = semget(IPC_PRIVATE, 3, 0600);
	struct sembuf both[2] = { { 0, 2, 0 }, { 1, 1, 0 } };
	CHECK_OK(semop(id, both, 2));
	CHECK_EQ(semctl(id, 0, GETVAL), 2);
	CHECK_EQ(semctl(id, 1, GETVAL), 1);
	/* Nothing is done if one cannot be. */
	struct sembuf three[3] = { { 0, -1, IPC_NOWAIT }, { 1, 5, IPC_NOWAIT }, { 2, -1, IPC_NOWAIT } };
	CHECK_ERRNO(semop(id, three, 3), EAGAIN);
	CHECK_EQ(semctl(id, 0, GETVAL), 2);
	CHECK_EQ(semctl(id, 1, GETVAL), 1);
	/* One after the other: what the first adds the second may take. */
	struct sembuf same[3] = { { 2, 3, 0 }, { 2, -3, IPC_NOWAIT }, { 2, 0, IPC_NOWAIT } };
	CHECK_OK(semop(id, same, 3));
	struct sembuf zero = { 0, 0, IPC_NOWAIT };
	CHECK_ERRNO(semop(id, &zero, 1), EAGAIN);
	struct sembuf much = { 0, 32767, 0 };
	CHECK_ERRNO(semop(id, &much, 1), ERANGE);
	struct sembuf far = { 3, 1, 0 };
	CHECK_ERRNO(semop(id, &far, 1), EFBIG);
	CHECK_ERRNO(semop(id, both, 0), EINVAL);
	CHECK_ERRNO(semop(-1, both, 1), EINVAL);
	CHECK_ERRNO(semop(id + 1000000, both, 1), EINVAL);
	CHECK_ERRNO(semop(id, (void *)1, 1), EFAULT);
	static struct sembuf many[501];
	CHECK_ERRNO(semop(id, many, 501), E2BIG);
	for (int i = 0; i < 500; i++)
		many[i] = (struct sembuf){ 2, 1, 0 };
	CHECK_OK(semop(id, many, 500));
	CHECK_EQ(semctl(id, 2, GETVAL), 500);
	struct timespec bad = { 0, 1000000000 }, past = { 0, 0 }, soon = { 0, 30000000 };
	struct sembuf more = { 1, -5, 0 };
	CHECK_ERRNO(semtimedop(id, &more, 1, &bad), EINVAL);
	CHECK_ERRNO(semtimedop(id, &more, 1, &past), EAGAIN);
	CHECK_ERRNO(semtimedop(id, &more, 1, &soon), EAGAIN);
	more.sem_op = -1;
	CHECK_OK(semtimedop(id, &more, 1, &past));
	CHECK_OK(semtimedop(id, &(struct sembuf){ 1, 0, 0 }, 1, NULL));
	CHECK_OK(semctl(id, 0, IPC_RMID));
}

static void status(void)
{
	key_t key = 0x57a7 ^ getpid() << 8;
	int id = semget(key, 2, IPC_CREAT | 0640);
	struct semid_ds ds;
	time_t now = time(NULL);
	CHECK_OK(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	CHECK_EQ(ds.sem_perm.__key, key);
	CHECK_EQ(ds.sem_perm.mode, 0640);
	CHECK_EQ(ds.sem_perm.uid, geteuid());
	CHECK_EQ(ds.sem_perm.cuid, geteuid());
	CHECK_EQ(ds.sem_perm.gid, getegid());
	CHECK_EQ(ds.sem_perm.cgid, getegid());
	CHECK_EQ(ds.sem_nsems, 2);
	CHECK_EQ(ds.sem_otime, 0);
	CHECK(ds.sem_ctime >= now - 1 && ds.sem_ctime <= now + 5);
	CHECK_OK(semop(id, &(struct sembuf){ 0, 1, 0 }, 1));
	CHECK_OK(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	CHECK(ds.sem_otime >= now - 1 && ds.sem_otime <= now + 5);
	ds.sem_perm.mode = 07444;
	CHECK_OK(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	CHECK_OK(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	CHECK_EQ(ds.sem_perm.mode, 0444);
	CHECK_ERRNO(semop(id, &(struct sembuf){ 0, 1, 0 }, 1), EACCES);
	CHECK_ERRNO(semctl(id, 0, SETVAL, (union semun){ .val = 1 }), EACCES);
	CHECK_EQ(semctl(id, 0, GETVAL), 1);
	CHECK_ERRNO(semop(id, &(struct sembuf){ 0, 0, IPC_NOWAIT }, 1), EAGAIN);
	CHECK_ERRNO(semget(key, 2, 0600), EACCES);
	CHECK_EQ(semget(key, 2, 0400), id);
	ds.sem_perm.mode = 0;
	CHECK_OK(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	CHECK_ERRNO(semctl(id, 0, GETVAL), EACCES);
	CHECK_ERRNO(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }), EACCES);
	CHECK_EQ(semget(key, 2, 0), id);

	struct seminfo info;
	int greatest = semctl(0, 0, SEM_INFO, (union semun){ .info = &info });
	CHECK_OK(greatest);
	CHECK(info.semusz >= 1 && info.semaem >= 2);
	CHECK_OK(semctl(0, 0, IPC_INFO, (union semun){ .info = &info }));
	CHECK_EQ(info.semmni, 32000);
	CHECK_EQ(info.semmsl, 32000);
	CHECK_EQ(info.semopm, 500);
	CHECK_EQ(info.semvmx, 32767);
	CHECK_EQ(info.semaem, 32767);
	int found = 0;
	for (int place = 0; place <= greatest; place++)
		if (semctl(place, 0, SEM_STAT_ANY, (union semun){ .buf = &ds }) == id) {
			found++;
			CHECK_EQ(ds.sem_nsems, 2);
			CHECK_ERRNO(semctl(place, 0, SEM_STAT, (union semun){ .buf = &ds }), EACCES);
		}
	CHECK_EQ(found, 1);
	CHECK_ERRNO(semctl(32767, 0, SEM_STAT, (union semun){ .buf = &ds }), EINVAL);
	CHECK_OK(semctl(id, 0, IPC_RMID));
}

int main(void)
{
	as_nobody();
	keys();
	values();
	operations();
	status();
	return check_done();
}
