/* Many processes at once: messages, semaphores and queues lose nothing and wake everybody who waits.
 */
#include <mqueue.h>
#include <sched.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include "ipc.h"

enum { WORKERS = 4, ROUNDS = 300 };

static void op(int set, int number, int change, int flags)
{
	struct sembuf buf = { number, change, flags };
	if (semop(set, &buf, 1) < 0)
		_exit(97);
}

/* A counter that is protected by a semaphore. */
static void semaphores(void)
{
	int set = semget(IPC_PRIVATE, 2, 0600), memory = shmget(IPC_PRIVATE, 4096, 0600);
	volatile int *counter = shmat(memory, NULL, 0);
	pid_t pids[WORKERS];
	op(set, 0, 1, 0);
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			for (int j = 0; j < ROUNDS; j++) {
				op(set, 0, -1, SEM_UNDO);
				int seen = *counter;
				if (j % 64 == 0)
					sched_yield();
				*counter = seen + 1;
				op(set, 0, 1, SEM_UNDO);
			}
			op(set, 1, 1, 0);
			finish();
		}
	}
	op(set, 1, -WORKERS, 0);
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(ended(pids[i]), 0);
	CHECK_EQ(*counter, WORKERS * ROUNDS);
	CHECK_EQ(semctl(set, 0, GETVAL), 1);

	/* Whoever is killed with the semaphore gives it back. */
	for (int i = 0; i < 10; i++) {
		struct gate taken = gate();
		pid_t pid = start();
		if (pid == 0) {
			op(set, 0, -1, SEM_UNDO);
			gate_open(&taken);
			pause();
		}
		gate_wait(&taken);
		kill(pid, SIGKILL);
		op(set, 0, -1, 0);
		op(set, 0, 1, 0);
		CHECK_EQ(ended(pid), 137);
		gate_close(&taken);
	}
	CHECK_OK(semctl(set, 0, IPC_RMID));
	CHECK_OK(shmdt((void *)counter));
	CHECK_OK(shmctl(memory, IPC_RMID, NULL));
}

struct message {
	long kind;
	int from, number;
	char rest[500];
};

/* Every message arrives once, and those of one sender in order. */
static void messages(void)
{
	int queue = msgget(IPC_PRIVATE, 0600), second = msgget(IPC_PRIVATE, 0600), size = sizeof(struct message) - sizeof(long);
	pid_t senders[WORKERS], relays[WORKERS];
	for (int i = 0; i < WORKERS; i++) {
		senders[i] = start();
		if (senders[i] == 0) {
			struct message message = { .kind = i + 1, .from = i };
			for (int j = 0; j < ROUNDS; j++) {
				message.number = j;
				CHECK_OK(msgsnd(queue, &message, size, 0));
			}
			finish();
		}
		relays[i] = start();
		if (relays[i] == 0) {
			struct message message;
			for (int j = 0; j < ROUNDS; j++) {
				CHECK_EQ(msgrcv(queue, &message, size, i + 1, 0), size);
				CHECK(message.from == i && message.number == j);
				message.kind = 100;
				CHECK_OK(msgsnd(second, &message, size, 0));
			}
			finish();
		}
	}
	int next[WORKERS] = { 0 };
	for (int j = 0; j < WORKERS * ROUNDS; j++) {
		struct message message;
		CHECK_EQ(msgrcv(second, &message, size, 100, 0), size);
		CHECK_EQ(message.number, next[message.from]);
		next[message.from]++;
	}
	for (int i = 0; i < WORKERS; i++) {
		CHECK_EQ(ended(senders[i]), 0);
		CHECK_EQ(ended(relays[i]), 0);
	}
	CHECK_OK(msgctl(queue, IPC_RMID, NULL));
	CHECK_OK(msgctl(second, IPC_RMID, NULL));
}

static void queues(void)
{
	char name[64];
	snprintf(name, sizeof name, "/lind-contention-%d", (int)getpid());
	struct mq_attr size = { .mq_maxmsg = 3, .mq_msgsize = 2 * sizeof(int) };
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
	CHECK_OK(queue);
	CHECK_OK(mq_unlink(name));
	pid_t pids[WORKERS];
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			for (int j = 0; j < ROUNDS; j++) {
				int text[2] = { i, j };
				CHECK_OK(mq_send(queue, (char *)text, sizeof text, 0));
			}
			finish();
		}
	}
	int next[WORKERS] = { 0 };
	for (int j = 0; j < WORKERS * ROUNDS; j++) {
		int text[2];
		CHECK_EQ(mq_receive(queue, (char *)text, sizeof text, NULL), sizeof text);
		CHECK_EQ(text[1], next[text[0]]);
		next[text[0]]++;
	}
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(ended(pids[i]), 0);
	CHECK_OK(mq_close(queue));
}

int main(void)
{
	as_nobody();
	semaphores();
	messages();
	queues();
	return check_done();
}
