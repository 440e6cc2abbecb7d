/* What one user's process may not do to another's: signals, scheduling, limits, looking inside, objects of IPC.
 *
 * @user root
 * @cflags -w
 */
#include <mqueue.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "errors.h"

static int queue, semaphore, segment;

static void not_to(pid_t other)
{
	siginfo_t info = { .si_code = SI_QUEUE, .si_signo = SIGUSR1 };
	struct sched_param zero = { 0 };
	struct rlimit limit;
	struct iovec one = { &limit, 1 };
	unsigned char mask[128];
	void *head;
	size_t size;
	CHECK_OK(sched_getaffinity(0, sizeof mask, (void *)mask));
	CHECK_ERRNO(kill(other, 0), EPERM);
	CHECK_ERRNO(kill(other, SIGTERM), EPERM);
	CHECK_ERRNO(syscall(SYS_tkill, other, SIGTERM), EPERM);
	CHECK_ERRNO(tgkill(other, other, SIGTERM), EPERM);
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, other, SIGUSR1, &info), EPERM);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, other, other, SIGUSR1, &info), EPERM);
	int fd = (int)syscall(SYS_pidfd_open, other, 0);
	CHECK_OK(fd);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 0, 0), EPERM);
	CHECK_ERRNO(process_vm_readv(other, &one, 1, &one, 1, 0), EPERM);
	CHECK_ERRNO(process_vm_writev(other, &one, 1, &one, 1, 0), EPERM);
	CHECK_ERRNO(prlimit(other, RLIMIT_NOFILE, NULL, &limit), EPERM);
	CHECK_ERRNO(syscall(SYS_get_robust_list, other, &head, &size), EPERM);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, other, 19), EPERM);
	CHECK_ERRNO(sched_setscheduler(other, SCHED_BATCH, &zero), EPERM);
	CHECK_ERRNO(sched_setparam(other, &zero), EPERM);
	CHECK_ERRNO(sched_setaffinity(other, sizeof mask, (void *)mask), EPERM);
	CHECK_ERRNO(syscall(SYS_ioprio_set, 1, other, 3 << 13), EPERM);
	CHECK_ERRNO(syscall(SYS_capset, &(int[2]){ 0x20080522, other }, &(int[6]){ 0 }), EPERM);
	/* To be asked is allowed. */
	CHECK_EQ(getpriority(PRIO_PROCESS, other), getpriority(PRIO_PROCESS, 0));
	CHECK_EQ(sched_getscheduler(other), SCHED_OTHER);
	CHECK_OK(getpgid(other));
	CHECK_OK(getsid(other));
	CHECK_OK(syscall(SYS_ioprio_get, 1, other));
	CHECK_OK(sched_getaffinity(other, sizeof mask, (void *)mask));
}

static void not_its_objects(void)
{
	struct msqid_ds messages;
	struct semid_ds semaphores;
	struct shmid_ds memory;
	/* All may read and write; only the owner may change who may, and remove. */
	CHECK_OK(msgctl(queue, IPC_STAT, &messages));
	CHECK_ERRNO(msgctl(queue, IPC_SET, &messages), EPERM);
	CHECK_ERRNO(msgctl(queue, IPC_RMID, NULL), EPERM);
	CHECK_OK(semctl(semaphore, 0, IPC_STAT, &semaphores));
	CHECK_ERRNO(semctl(semaphore, 0, IPC_SET, &semaphores), EPERM);
	CHECK_ERRNO(semctl(semaphore, 0, IPC_RMID), EPERM);
	CHECK_OK(shmctl(segment, IPC_STAT, &memory));
	CHECK_ERRNO(shmctl(segment, IPC_SET, &memory), EPERM);
	CHECK_ERRNO(shmctl(segment, IPC_RMID, NULL), EPERM);
	CHECK_ERRNO(shmctl(segment, SHM_LOCK, NULL), EPERM);
	CHECK_ERRNO(mq_open("/lind-of-root", O_RDONLY), EACCES);
	CHECK_ERRNO(mq_unlink("/lind-of-root"), EACCES);
}

int main(void)
{
	CHECK_OK(queue = msgget(IPC_PRIVATE, 0666));
	CHECK_OK(semaphore = semget(IPC_PRIVATE, 1, 0666));
	CHECK_OK(segment = shmget(IPC_PRIVATE, 4096, 0666));
	mq_unlink("/lind-of-root");
	mqd_t mq = mq_open("/lind-of-root", O_RDWR | O_CREAT, 0600, NULL);
	CHECK_OK(mq);
	pid_t other = start();
	if (other == 0) {
		for (;;)
			pause();
	}
	pid_t pid = start();
	if (pid == 0) {
		drop_privileges();
		not_to(other);
		not_its_objects();
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	/* Root may. */
	CHECK_OK(kill(other, 0));
	CHECK_OK(setpriority(PRIO_PROCESS, other, 19));
	CHECK_OK(kill(other, SIGKILL));
	CHECK_EQ(ended(other), 128 + SIGKILL);
	CHECK_OK(msgctl(queue, IPC_RMID, NULL));
	CHECK_OK(semctl(semaphore, 0, IPC_RMID));
	CHECK_OK(shmctl(segment, IPC_RMID, NULL));
	CHECK_OK(mq_unlink("/lind-of-root"));
	return check_done();
}
