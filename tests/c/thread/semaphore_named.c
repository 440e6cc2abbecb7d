/* Named semaphores: the same one for all who open it, until it is unlinked. */
#include <semaphore.h>
#include "process.h"

int main(void)
{
	char name[64];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(name, sizeof name, "/lind-test-%d-%ld", getpid(), now.tv_nsec);
	CHECK(sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
	sem_t *sem = sem_open(name, O_CREAT | O_EXCL, 0600, 2), *again;
	CHECK(sem != SEM_FAILED);
	if (sem == SEM_FAILED)
		return check_done();
	CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 2) == SEM_FAILED && errno == EEXIST);
	again = sem_open(name, 0);
	CHECK(again == sem);
	CHECK_OK(sem_wait(sem));
	CHECK_OK(sem_wait(sem));
	CHECK_ERRNO(sem_trywait(again), EAGAIN);
	pid_t pid = start();
	if (pid == 0) {
		/* By inheritance and by name. */
		CHECK_OK(sem_post(sem));
		sem_t *other = sem_open(name, O_CREAT, 0600, 77);
		CHECK(other == sem);
		CHECK_OK(sem_post(other));
		finish();
	}
	CHECK_OK(sem_wait(sem));
	CHECK_OK(sem_wait(sem));
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(sem_close(again));
	CHECK_OK(sem_unlink(name));
	CHECK_ERRNO(sem_unlink(name), ENOENT);
	CHECK(sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
	CHECK_OK(sem_post(sem));
	CHECK_OK(sem_wait(sem));
	CHECK_OK(sem_close(sem));
	CHECK(sem_open("/with/slash", O_CREAT, 0600, 1) == SEM_FAILED && errno == EINVAL);
	CHECK(sem_open("", O_CREAT, 0600, 1) == SEM_FAILED && errno == EINVAL);
	return check_done();
}
