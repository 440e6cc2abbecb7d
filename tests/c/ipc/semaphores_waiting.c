/* Processes that wait for semaphores: counted, served in order, interrupted, told of the end of the set; SEM_UNDO.
 */
#include <pthread.h>
#include <sys/sem.h>
#include "ipc.h"

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int id;

static int value(int number)
{
	return semctl(id, number, GETVAL);
}

static int op(int number, int change, int flags)
{
	struct sembuf buf = { number, change, flags };
	return semop(id, &buf, 1);
}

static void waits(void)
{
	pid_t taker = start();
	if (taker == 0) {
		struct sembuf two[2] = { { 0, -2, 0 }, { 1, 1, 0 } };
		CHECK_OK(semop(id, two, 2));
		CHECK_OK(op(1, 0, 0));
		finish();
	}
	EVENTUALLY(semctl(id, 0, GETNCNT) == 1);
	CHECK_EQ(semctl(id, 0, GETZCNT), 0);
	CHECK_OK(op(0, 1, 0));
	CHECK_EQ(value(0), 1);
	CHECK_EQ(semctl(id, 0, GETNCNT), 1);
	CHECK_OK(op(0, 1, 0));
	EVENTUALLY(semctl(id, 1, GETZCNT) == 1);
	CHECK_EQ(value(0), 0);
	CHECK_EQ(value(1), 1);
	CHECK_EQ(semctl(id, 0, GETPID), taker);
	CHECK_OK(op(1, -1, 0));
	CHECK_EQ(ended(taker), 0);

	/* SETVAL lets waiters go on, too. */
	taker = start();
	if (taker == 0) {
		CHECK_OK(op(0, -5, 0));
		finish();
	}
	EVENTUALLY(semctl(id, 0, GETNCNT) == 1);
	CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = 7 }));
	CHECK_EQ(ended(taker), 0);
	CHECK_EQ(value(0), 2);
	CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = 0 }));
}

static void order(void)
{
	/* Of those who wait for as much, the first gets it. */
	pid_t pids[4];
	for (int i = 0; i < 4; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			CHECK_OK(op(0, -1, 0));
			finish();
		}
		EVENTUALLY(semctl(id, 0, GETNCNT) == i + 1);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_OK(op(0, 1, 0));
		CHECK_EQ(ended(pids[i]), 0);
	}
	CHECK_EQ(value(0), 0);
}

static void nothing(int signo)
{
	(void)signo;
}

static void interrupted(void)
{
	pid_t pid = start();
	if (pid == 0) {
		handle(SIGUSR1, nothing, SA_RESTART);
		CHECK_ERRNO(op(0, -1, 0), EINTR);
		CHECK_OK(op(1, 1, 0));
		struct timespec limit = { 10, 0 };
		struct sembuf buf = { 0, -1, 0 };
		CHECK_ERRNO(semtimedop(id, &buf, 1, &limit), EINTR);
		finish();
	}
	for (int i = 0; i < 2; i++) {
		EVENTUALLY(value(1) == i && semctl(id, 0, GETNCNT) == 1);
		kill(pid, SIGUSR1);
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(semctl(id, 0, GETNCNT), 0);

	/* Who is killed waits no longer. */
	pid = start();
	if (pid == 0) {
		op(0, -1, 0);
		finish();
	}
	EVENTUALLY(semctl(id, 0, GETNCNT) == 1);
	kill(pid, SIGKILL);
	CHECK_EQ(ended(pid), 137);
	EVENTUALLY(semctl(id, 0, GETNCNT) == 0);
	CHECK_OK(op(0, 1, 0));
	CHECK_OK(op(0, -1, IPC_NOWAIT));
}

static void undo(void)
{
	CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = 5 }));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(op(0, -3, SEM_UNDO));
		CHECK_OK(op(0, 1, SEM_UNDO));
		CHECK_OK(op(0, 4, 0));
		CHECK_EQ(value(0), 7);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(value(0), 9);
	CHECK_EQ(semctl(id, 0, GETPID), pid);

	/* A child undoes nothing of its parent's, and what is undone never goes below 0. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(op(0, 8, SEM_UNDO));
		pid_t inner = fork();
		if (inner == 0)
			_exit(0);
		CHECK_EQ(ended(inner), 0);
		CHECK_EQ(value(0), 17);
		CHECK_OK(op(0, -12, 0));
		raise(SIGKILL);
	}
	CHECK_EQ(ended(pid), 137);
	CHECK_EQ(value(0), 0);

	/* SETVAL forgets what was to be undone. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(op(0, 3, SEM_UNDO));
		CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = 2 }));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(value(0), 2);

	/* exec keeps it for the end. */
	pid = start();
	if (pid == 0) {
		CHECK_OK(op(0, 3, SEM_UNDO));
		execl("/proc/self/exe", "semaphores_waiting", "exec", NULL);
		_exit(1);
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(value(0), 2);

	/* The end of the holder lets others go on. */
	CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = 1 }));
	struct gate taken = gate(), leave = gate();
	pid = start();
	if (pid == 0) {
		CHECK_OK(op(0, -1, SEM_UNDO));
		gate_open(&taken);
		gate_wait(&leave);
		finish();
	}
	gate_wait(&taken);
	pid_t other = start();
	if (other == 0) {
		CHECK_OK(op(0, -1, SEM_UNDO));
		finish();
	}
	EVENTUALLY(semctl(id, 0, GETNCNT) == 1);
	gate_open(&leave);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(ended(other), 0);
	CHECK_EQ(value(0), 1);
	CHECK_ERRNO(op(0, -32767, SEM_UNDO | IPC_NOWAIT), EAGAIN);
	CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = 0 }));
	CHECK_OK(op(0, 32767, SEM_UNDO));
	CHECK_OK(op(0, -32767, 0));
	CHECK_OK(op(0, 1, SEM_UNDO));
	CHECK_ERRNO(op(0, 1, SEM_UNDO), ERANGE);
	CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = 0 }));
}

static void *hundred(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		if (op(2, -1, 0) < 0 || op(3, 1, 0) < 0)
			return (void *)1;
	return NULL;
}

static void threads(void)
{
	pthread_t thread[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, hundred, NULL);
	for (int i = 0; i < 400; i++)
		CHECK_OK(op(2, 1, 0));
	for (int i = 0; i < 4; i++) {
		void *result;
		pthread_join(thread[i], &result);
		CHECK(result == NULL);
	}
	CHECK_EQ(value(2), 0);
	CHECK_EQ(value(3), 400);
}

static void removed(void)
{
	pid_t pid[2];
	for (int i = 0; i < 2; i++) {
		pid[i] = start();
		if (pid[i] == 0) {
			CHECK_ERRNO(op(0, -1, 0), EIDRM);
			CHECK_ERRNO(op(0, -1, 0), EINVAL);
			finish();
		}
	}
	EVENTUALLY(semctl(id, 0, GETNCNT) == 2);
	CHECK_OK(semctl(id, 0, IPC_RMID));
	CHECK_EQ(ended(pid[0]), 0);
	CHECK_EQ(ended(pid[1]), 0);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0;
	id = semget(IPC_PRIVATE, 4, 0600);
	CHECK_OK(id);
	waits();
	order();
	interrupted();
	undo();
	threads();
	removed();
	return check_done();
}
