/* System V IPC and message queues of POSIX: each wrong id, size, number, command and address.
 *
 * @cflags -w
 */
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <time.h>
#include "errors.h"

struct letter {
	long kind;
	char text[8];
};

/* In both halves, so that it is no id that has been given out. */
enum { NO_ID = 0x7ffffff0 };

static void messages(void)
{
	struct letter letter = { 1, "text" };
	struct msqid_ds ds;
	int id = msgget(IPC_PRIVATE, 0600);
	CHECK_OK(id);
	CHECK_ERRNO(msgget(0x4c46, 0), ENOENT);
	CHECK_ERRNO(msgsnd(id, &(struct letter){ 0 }, 1, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, &(struct letter){ -1 }, 1, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, &letter, 1 << 30, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, BAD, 1, 0), EFAULT);
	CHECK_ERRNO(msgsnd(NO_ID, &letter, 1, 0), EINVAL);
	CHECK_ERRNO(msgsnd(-1, &letter, 1, 0), EINVAL);
	CHECK_ERRNO(msgrcv(id, &letter, 8, 0, IPC_NOWAIT), ENOMSG);
	CHECK_ERRNO(msgrcv(id, &letter, -1, 0, IPC_NOWAIT), EINVAL);
	CHECK_ERRNO(msgrcv(NO_ID, &letter, 8, 0, 0), EINVAL);
	CHECK_OK(msgsnd(id, &letter, 5, 0));
	CHECK_ERRNO(msgrcv(id, &letter, 4, 0, 0), E2BIG);
	CHECK_ERRNO(msgrcv(id, &letter, 8, 7, IPC_NOWAIT), ENOMSG);
	CHECK_EQ(msgrcv(id, &letter, 4, 0, MSG_NOERROR), 4);
	CHECK_OK(msgsnd(id, &letter, 5, 0));
	CHECK_ERRNO(msgrcv(id, BAD, 8, 0, 0), EFAULT);
	CHECK_ERRNO(msgctl(id, 99, &ds), EINVAL);
	CHECK_ERRNO(msgctl(NO_ID, IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO(msgctl(NO_ID, IPC_RMID, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_msgctl, id, IPC_STAT, BAD), EFAULT);
	CHECK_ERRNO(syscall(SYS_msgctl, id, IPC_SET, BAD), EFAULT);
	CHECK_OK(msgctl(id, IPC_STAT, &ds));
	ds.msg_perm.mode = 0;
	CHECK_OK(msgctl(id, IPC_SET, &ds));
	CHECK_ERRNO(msgctl(id, IPC_STAT, &ds), EACCES);
	CHECK_ERRNO(msgsnd(id, &letter, 1, IPC_NOWAIT), EACCES);
	CHECK_ERRNO(msgrcv(id, &letter, 1, 0, IPC_NOWAIT), EACCES);
	CHECK_OK(msgctl(id, IPC_RMID, NULL));
	CHECK_ERRNO(msgctl(id, IPC_RMID, NULL), EINVAL);
	CHECK_ERRNO(msgsnd(id, &letter, 1, 0), EINVAL);
}

static void nothing(int signo)
{
	(void)signo;
}

static void semaphores(void)
{
	struct sembuf up = { 0, 1, IPC_NOWAIT }, down = { 0, -1, IPC_NOWAIT }, far = { 3, 1, 0 }, much = { 0, 32767, IPC_NOWAIT };
	struct semid_ds ds;
	static struct sembuf many[501];
	int id = semget(IPC_PRIVATE, 3, 0600), removed = semget(IPC_PRIVATE, 1, 0600);
	CHECK_OK(id);
	CHECK_ERRNO(semget(0x4c46, 1, 0), ENOENT);
	CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERRNO(semget(IPC_PRIVATE, -1, 0600), EINVAL);
	CHECK_ERRNO(semget(IPC_PRIVATE, 1 << 20, 0600), EINVAL);
	/* By the call that has no time limit, whatever libc makes semop of. */
	CHECK_OK(syscall(SYS_semop, id, &up, 1));
	CHECK_OK(syscall(SYS_semop, id, &down, 1));
	CHECK_ERRNO(syscall(SYS_semop, id, &down, 1), EAGAIN);
	CHECK_ERRNO(syscall(SYS_semop, id, &far, 1), EFBIG);
	CHECK_ERRNO(syscall(SYS_semop, id, many, 501), E2BIG);
	CHECK_ERRNO(syscall(SYS_semop, id, &up, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_semop, NO_ID, &up, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_semop, id, BAD, 1), EFAULT);
	CHECK_OK(syscall(SYS_semop, id, &much, 1));
	CHECK_ERRNO(syscall(SYS_semop, id, &much, 1), ERANGE);
	CHECK_ERRNO(semtimedop(id, &up, 1, &(struct timespec){ 0, -1 }), EINVAL);
	CHECK_ERRNO(semctl(id, 3, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(id, -1, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(id, 0, 99), EINVAL);
	CHECK_ERRNO(semctl(NO_ID, 0, GETVAL), EINVAL);
	CHECK_ERRNO(semctl(id, 0, SETVAL, 32768), ERANGE);
	CHECK_ERRNO(semctl(id, 0, SETVAL, -1), ERANGE);
	CHECK_ERRNO(semctl(id, 0, GETALL, BAD), EFAULT);
	CHECK_ERRNO(semctl(id, 0, SETALL, BAD), EFAULT);
	CHECK_OK(semctl(id, 0, SETVAL, 0));
	CHECK_OK(handle(SIGALRM, nothing, 0));
	alarm(1);
	down.sem_flg = 0;
	CHECK_ERRNO(syscall(SYS_semop, id, &down, 1), EINTR);
	pid_t child = start();
	if (child == 0) {
		CHECK_ERRNO(syscall(SYS_semop, removed, &down, 1), EIDRM);
		finish();
	}
	while (semctl(removed, 0, GETNCNT) == 0)
		sleep_ms(5);
	CHECK_OK(semctl(removed, 0, IPC_RMID));
	CHECK_EQ(ended(child), 0);
	CHECK_OK(semctl(id, 0, IPC_STAT, &ds));
	ds.sem_perm.mode = 0;
	CHECK_OK(semctl(id, 0, IPC_SET, &ds));
	CHECK_ERRNO(syscall(SYS_semop, id, &up, 1), EACCES);
	CHECK_ERRNO(semctl(id, 0, GETVAL), EACCES);
	CHECK_ERRNO(semctl(id, 0, IPC_STAT, &ds), EACCES);
	CHECK_OK(semctl(id, 0, IPC_RMID));
	CHECK_ERRNO(semctl(id, 0, IPC_RMID), EINVAL);
	CHECK_ERRNO(syscall(SYS_semop, id, &up, 1), EINVAL);
}

static void segments(void)
{
	struct shmid_ds ds;
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	CHECK_OK(id);
	CHECK_ERRNO(shmget(0x4c46, 4096, 0), ENOENT);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_EQ((intptr_t)shmat(NO_ID, NULL, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ((intptr_t)shmat(id, (void *)(16 * 4096 + 8), 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ((intptr_t)shmat(id, NULL, SHM_REMAP), -1);
	CHECK_EQ(errno, EINVAL);
	char *at = shmat(id, NULL, 0);
	CHECK(at != (void *)-1);
	CHECK_ERRNO(shmdt(at + 4096), EINVAL);
	CHECK_ERRNO(shmdt(at + 1), EINVAL);
	CHECK_ERRNO(shmctl(id, 99, &ds), EINVAL);
	CHECK_ERRNO(shmctl(NO_ID, IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO(syscall(SYS_shmctl, id, IPC_STAT, BAD), EFAULT);
	CHECK_ERRNO(syscall(SYS_shmctl, id, IPC_SET, BAD), EFAULT);
	CHECK_OK(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.mode = 0;
	CHECK_OK(shmctl(id, IPC_SET, &ds));
	CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EACCES);
	CHECK_EQ((intptr_t)shmat(id, NULL, 0), -1);
	CHECK_EQ(errno, EACCES);
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	CHECK_OK(shmdt(at));
	CHECK_ERRNO(shmdt(at), EINVAL);
	CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
}

static void queues(void)
{
	struct mq_attr small = { .mq_maxmsg = 1, .mq_msgsize = 8 }, got;
	struct timespec past = { 1, 0 }, wrong = { 1, -1 }, later = { 4000000000, 0 };
	char text[8], name[300] = "/";
	memset(name + 1, 'n', sizeof name - 2);
	mq_unlink("/lind-errors");
	mqd_t q = mq_open("/lind-errors", O_RDWR | O_CREAT | O_EXCL, 0600, &small);
	CHECK_OK(q);
	CHECK_ERRNO(mq_open("/lind-errors", O_RDWR | O_CREAT | O_EXCL, 0600, &small), EEXIST);
	CHECK_ERRNO(mq_open("/lind-absent", O_RDWR), ENOENT);
	CHECK_ERRNO(mq_open(name, O_RDWR), ENAMETOOLONG);
	CHECK_ERRNO(mq_open("/", O_RDWR), ENOENT);
	small.mq_maxmsg = 0;
	CHECK_ERRNO(mq_open("/lind-absent", O_RDWR | O_CREAT, 0600, &small), EINVAL);
	CHECK_ERRNO(mq_unlink("/lind-absent"), ENOENT);
	CHECK_ERRNO(mq_unlink(name), ENAMETOOLONG);
	CHECK_ERRNO(syscall(SYS_mq_unlink, BAD), EFAULT);
	CHECK_ERRNO(mq_send(q, text, 9, 0), EMSGSIZE);
	CHECK_ERRNO(mq_send(q, text, 8, 32768), EINVAL);
	CHECK_ERRNO(mq_send(CLOSED, text, 8, 0), EBADF);
	CHECK_ERRNO(mq_send(0, text, 8, 0), EBADF);
	CHECK_ERRNO(mq_send(q, BAD, 8, 0), EFAULT);
	CHECK_ERRNO(mq_timedsend(q, text, 8, 0, &wrong), EINVAL);
	CHECK_ERRNO(mq_receive(q, text, 7, NULL), EMSGSIZE);
	CHECK_ERRNO(mq_receive(CLOSED, text, 8, NULL), EBADF);
	CHECK_ERRNO(mq_timedreceive(q, text, 8, NULL, &past), ETIMEDOUT);
	CHECK_ERRNO(mq_timedreceive(q, text, 8, NULL, &wrong), EINVAL);
	CHECK_OK(mq_send(q, text, 8, 0));
	CHECK_ERRNO(mq_timedsend(q, text, 8, 0, &past), ETIMEDOUT);
	CHECK_OK(handle(SIGALRM, nothing, 0));
	alarm(1);
	CHECK_ERRNO(mq_timedsend(q, text, 8, 0, &later), EINTR);
	CHECK_OK(mq_getattr(q, &got));
	got.mq_flags = O_NONBLOCK;
	CHECK_OK(mq_setattr(q, &got, NULL));
	CHECK_ERRNO(mq_send(q, text, 8, 0), EAGAIN);
	CHECK_EQ(mq_receive(q, text, 8, NULL), 8);
	CHECK_ERRNO(mq_receive(q, text, 8, NULL), EAGAIN);
	got.mq_flags = 1;
	CHECK_ERRNO(mq_setattr(q, &got, NULL), EINVAL);
	CHECK_ERRNO(mq_getattr(CLOSED, &got), EBADF);
	CHECK_ERRNO(syscall(SYS_mq_getsetattr, q, BAD, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_mq_getsetattr, q, NULL, BAD), EFAULT);
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	CHECK_ERRNO(mq_notify(CLOSED, &event), EBADF);
	CHECK_OK(mq_notify(q, &event));
	CHECK_ERRNO(mq_notify(q, &event), EBUSY);
	CHECK_OK(mq_notify(q, NULL));
	event.sigev_notify = 99;
	CHECK_ERRNO(syscall(SYS_mq_notify, q, &event), EINVAL);
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = 99;
	CHECK_ERRNO(mq_notify(q, &event), EINVAL);
	CHECK_ERRNO(syscall(SYS_mq_notify, q, BAD), EFAULT);
	mqd_t reader = mq_open("/lind-errors", O_RDONLY), writer = mq_open("/lind-errors", O_WRONLY);
	CHECK_ERRNO(mq_send(reader, text, 8, 0), EBADF);
	CHECK_ERRNO(mq_receive(writer, text, 8, NULL), EBADF);
	struct rlimit limit;
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = (rlim_t)writer + 1;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_ERRNO(mq_open("/lind-errors", O_RDONLY), EMFILE);
	CHECK_OK(mq_unlink("/lind-errors"));
}

int main(void)
{
	drop_privileges();
	messages();
	semaphores();
	segments();
	queues();
	return check_done();
}
