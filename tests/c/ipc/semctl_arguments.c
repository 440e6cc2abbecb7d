/* semctl with its last argument as programs write it: a union, a number, a pointer, none.
 */
#include <sys/sem.h>
#include "ipc.h"

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

struct wrapper {
	int (*control)(int, int, int, ...);
};

int main(void)
{
	int id = semget(IPC_PRIVATE, 3, 0600);
	short small = 9;
	long large = 12;
	unsigned short all[3] = { 4, 5, 6 };
	struct semid_ds status;
	union semun argument = { .val = 7 };
	CHECK_OK(semctl(id, 0, SETVAL, argument));
	CHECK_EQ(semctl(id, 0, GETVAL), 7);
	CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = 8 }));
	CHECK_EQ(semctl(id, 0, GETVAL, 0), 8);
	CHECK_OK(semctl(id, 0, SETVAL, 1));
	CHECK_EQ(semctl(id, 0, GETVAL, NULL), 1);
	CHECK_OK(semctl(id, 0, SETVAL, small));
	CHECK_EQ(semctl(id, 0, GETVAL), 9);
	CHECK_OK(semctl(id, 0, SETVAL, large));
	CHECK_EQ(semctl(id, 0, GETVAL), 12);
	CHECK_ERRNO(semctl(id, 0, SETVAL, -1), ERANGE);
	CHECK_OK(semctl(id, 0, SETALL, all));
	CHECK_EQ(semctl(id, 2, GETVAL), 6);
	memset(all, 0, sizeof all);
	CHECK_OK(semctl(id, 0, GETALL, &all[0]));
	CHECK(all[0] == 4 && all[1] == 5 && all[2] == 6);
	argument.array = all;
	CHECK_OK(semctl(id, 0, GETALL, argument));
	CHECK_OK(semctl(id, 0, IPC_STAT, &status));
	CHECK_EQ(status.sem_nsems, 3);
	struct wrapper wrapper = { .control = semctl };
	CHECK_EQ(wrapper.control(id, 1, GETVAL), 5);
	CHECK_OK(semctl(id, 0, IPC_RMID, 0));
	return check_done();
}
