/* Stress of what processes share by keys and names: System V's and POSIX's objects, futexes.
 * @libs -lpthread -lrt
 */
#include <linux/futex.h>
#include <mqueue.h>
#include <sched.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include "stress.h"

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

struct letter {
	long type;
	char text[200];
};

static void messages(int worker)
{
	int queue = msgget(IPC_PRIVATE, 0600);
	struct letter letter;
	CHECK_OK(queue);
	pid_t pid = start();
	if (pid == 0) {
		for (int i = 0; i < 300; i++) {
			letter.type = 1 + i % 3;
			fill(letter.text, sizeof letter.text, i + worker);
			CHECK_OK(msgsnd(queue, &letter, sizeof letter.text, 0));
		}
		finish();
	}
	for (int i = 0; i < 300; i++) {
		CHECK_EQ(msgrcv(queue, &letter, sizeof letter.text, i < 200 ? 1 + i % 3 : 0, 0), sizeof letter.text);
		if (i < 200)
			CHECK(is_filled(letter.text, sizeof letter.text, i + worker));
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_ERRNO(msgrcv(queue, &letter, sizeof letter.text, 0, IPC_NOWAIT), ENOMSG);
	CHECK_OK(msgctl(queue, IPC_RMID, NULL));
}

static int change(int set, int number, int by, int flags)
{
	struct sembuf one = { number, by, flags };
	int result;
	while ((result = semop(set, &one, 1)) < 0 && errno == EINTR)
		;
	return result;
}

static void semaphores(int worker)
{
	int set = semget(IPC_PRIVATE, 2, 0600);
	volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[4];
	(void)worker;
	CHECK_OK(set);
	CHECK_OK(change(set, 0, 1, 0));
	for (int i = 0; i < 4; i++)
		if ((pids[i] = start()) == 0) {
			for (int k = 0; k < 100; k++) {
				CHECK_OK(change(set, 0, -1, SEM_UNDO));
				int before = *shared;
				sched_yield();
				*shared = before + 1;
				CHECK_OK(change(set, 0, 1, SEM_UNDO));
			}
			finish();
		}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(ended(pids[i]), 0);
	CHECK_EQ(*shared, 400);
	/* What one holds that is killed is given back. */
	for (int i = 0; i < 20; i++) {
		pid_t pid = start();
		if (pid == 0) {
			CHECK_OK(change(set, 0, -1, SEM_UNDO));
			kill(getpid(), SIGKILL);
		}
		CHECK_EQ(ended(pid), 128 + SIGKILL);
		CHECK_EQ(semctl(set, 0, GETVAL), 1);
	}
	CHECK_OK(semctl(set, 0, IPC_RMID));
}

static void segments(int worker)
{
	for (int i = 0; i < 40; i++) {
		struct shmid_ds about;
		int id = shmget(IPC_PRIVATE, 100000, 0600);
		CHECK_OK(id);
		char *at = shmat(id, NULL, 0);
		CHECK(at != (void *)-1);
		pid_t pid = start();
		if (pid == 0) {
			fill(at, 100000, i + worker);
			finish();
		}
		CHECK_EQ(ended(pid), 0);
		CHECK(is_filled(at, 100000, i + worker));
		char *again = shmat(id, NULL, SHM_RDONLY);
		CHECK(again != at && memcmp(again, at, 100000) == 0);
		CHECK_OK(shmctl(id, IPC_STAT, &about));
		CHECK_EQ(about.shm_nattch, 2);
		CHECK_OK(shmctl(id, IPC_RMID, NULL));
		CHECK_OK(shmdt(again));
		CHECK_EQ(at[0], (char)(i + worker));
		CHECK_OK(shmdt(at));
		CHECK(shmat(id, NULL, 0) == (void *)-1);
	}
}

static void queues(int worker)
{
	char name[32], text[64];
	unsigned priority;
	struct mq_attr attributes = { .mq_maxmsg = 5, .mq_msgsize = sizeof text };
	snprintf(name, sizeof name, "/stress%d-%d", getpid(), worker);
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	CHECK_OK(queue);
	pid_t pid = start();
	if (pid == 0) {
		for (int i = 0; i < 200; i++) {
			fill(text, sizeof text, i);
			CHECK_OK(mq_send(queue, text, sizeof text, 3));
		}
		finish();
	}
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(mq_receive(queue, text, sizeof text, &priority), sizeof text);
		CHECK(is_filled(text, sizeof text, i));
	}
	CHECK_EQ(ended(pid), 0);
	for (unsigned i = 0; i < 5; i++)
		CHECK_OK(mq_send(queue, text, i, i * 7 % 5));
	for (unsigned i = 5; i-- > 0;) {
		CHECK(mq_receive(queue, text, sizeof text, &priority) >= 0);
		CHECK_EQ(priority, i);
	}
	CHECK_OK(mq_close(queue));
	CHECK_OK(mq_unlink(name));
}

static void named_semaphores(int worker)
{
	char name[32];
	snprintf(name, sizeof name, "/stress%d-%d", getpid(), worker);
	for (int i = 0; i < 20; i++) {
		sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
		CHECK(semaphore != SEM_FAILED);
		pid_t pid = start();
		if (pid == 0) {
			sem_t *same = sem_open(name, 0);
			for (int k = 0; k < 50; k++)
				CHECK_OK(sem_post(same));
			finish();
		}
		for (int k = 0; k < 50; k++)
			CHECK_OK(sem_wait(semaphore));
		CHECK_EQ(ended(pid), 0);
		CHECK_ERRNO(sem_trywait(semaphore), EAGAIN);
		CHECK_OK(sem_close(semaphore));
		CHECK_OK(sem_unlink(name));
	}
}

static void shared_memory(int worker)
{
	char name[32];
	snprintf(name, sizeof name, "/stress%d-%d", getpid(), worker);
	for (int i = 0; i < 40; i++) {
		int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		CHECK_OK(fd);
		CHECK_OK(ftruncate(fd, 70000));
		char *at = mmap(NULL, 70000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		pid_t pid = start();
		if (pid == 0) {
			int same = shm_open(name, O_RDWR, 0);
			char *there = mmap(NULL, 70000, PROT_READ | PROT_WRITE, MAP_SHARED, same, 0);
			fill(there, 70000, i + worker);
			finish();
		}
		CHECK_EQ(ended(pid), 0);
		CHECK(is_filled(at, 70000, i + worker));
		CHECK_OK(munmap(at, 70000));
		close(fd);
		CHECK_OK(shm_unlink(name));
		CHECK_ERRNO(shm_open(name, O_RDWR, 0), ENOENT);
	}
}

static long futex(volatile int *word, int operation, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static void futexes(int worker)
{
	volatile int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)worker;
	pid_t pid = start();
	if (pid == 0) {
		for (int i = 0; i < 1000; i += 2) {
			while (word[0] == i)
				futex(word, FUTEX_WAIT, i, NULL);
			word[0] = i + 2;
			futex(word, FUTEX_WAKE, 1, NULL);
		}
		finish();
	}
	for (int i = 0; i < 1000; i += 2) {
		word[0] = i + 1;
		futex(word, FUTEX_WAKE, 1, NULL);
		while (word[0] == i + 1)
			futex(word, FUTEX_WAIT, i + 1, NULL);
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(word[0], 1000);
	CHECK_ERRNO(futex(word, FUTEX_WAIT, 1, NULL), EAGAIN);
}

static void mutexes(int worker)
{
	pthread_mutexattr_t attributes;
	struct {
		pthread_mutex_t lock;
		int count;
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[4];
	(void)worker;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	CHECK_EQ(pthread_mutex_init(&shared->lock, &attributes), 0);
	for (int i = 0; i < 4; i++)
		if ((pids[i] = start()) == 0) {
			for (int k = 0; k < 2000; k++) {
				pthread_mutex_lock(&shared->lock);
				shared->count++;
				pthread_mutex_unlock(&shared->lock);
			}
			finish();
		}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(ended(pids[i]), 0);
	CHECK_EQ(shared->count, 8000);
}

static const struct stressor stressors[] = {
	{ "messages", messages }, { "semaphores", semaphores }, { "segments", segments },
	{ "queues", queues },	  { "named-semaphores", named_semaphores }, { "shared-memory", shared_memory },
	{ "futexes", futexes },	  { "mutexes", mutexes },
};

int main(void)
{
	return STRESS(stressors);
}
