/* Shared memory and semaphores with names, and what processes build in them: mutexes, conditions, barriers.
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "ipc.h"

static char name[64];

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	pthread_barrier_t barrier;
	sem_t done;
	int turn, count;
};

static struct shared *map(int flags)
{
	int fd = shm_open(name, O_RDWR | flags, 0600);
	CHECK_OK(fd);
	if (flags & O_CREAT)
		CHECK_OK(ftruncate(fd, sizeof(struct shared)));
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(shared != MAP_FAILED);
	close(fd);
	return shared;
}

static void memory(void)
{
	CHECK_ERRNO(shm_open(name, O_RDWR, 0), ENOENT);
	CHECK_ERRNO(shm_open("/a/b", O_RDWR | O_CREAT, 0600), EINVAL);
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0640);
	CHECK_OK(fd);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_ERRNO(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	struct stat st;
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(st.st_mode & 0777, 0640);
	CHECK_OK(ftruncate(fd, 8192));
	char *one = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int again = shm_open(name, O_RDONLY, 0);
	char *two = mmap(NULL, 4096, PROT_READ, MAP_SHARED, again, 4096);
	CHECK(one != MAP_FAILED && two != MAP_FAILED);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0) == MAP_FAILED && errno == EACCES);
	strcpy(one + 4096, "seen");
	CHECK_STR(two, "seen");
	CHECK_OK(shm_unlink(name));
	CHECK_ERRNO(shm_unlink(name), ENOENT);
	strcpy(one + 4096, "still");
	CHECK_STR(two, "still");
	close(fd);
	close(again);
	CHECK_OK(munmap(one, 8192));
	CHECK_OK(munmap(two, 4096));
}

static void semaphores(void)
{
	CHECK(sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
	sem_t *sem = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
	CHECK(sem != SEM_FAILED);
	CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST);
	CHECK(sem_open(name, 0) == sem);
	CHECK_OK(sem_close(sem));
	int value;
	CHECK_OK(sem_getvalue(sem, &value));
	CHECK_EQ(value, 2);
	CHECK_OK(sem_wait(sem));
	CHECK_OK(sem_trywait(sem));
	CHECK_ERRNO(sem_trywait(sem), EAGAIN);
	struct timespec past = { 1, 0 };
	CHECK_ERRNO(sem_timedwait(sem, &past), ETIMEDOUT);

	pid_t child = start();
	if (child == 0) {
		sleep_ms(30);
		CHECK_OK(sem_post(sem));
		finish();
	}
	CHECK_OK(sem_wait(sem));
	CHECK_EQ(ended(child), 0);

	/* A process that knows only the name. */
	child = start();
	if (child == 0) {
		execl("/proc/self/exe", "shared_names", "semaphore", name, NULL);
		_exit(1);
	}
	CHECK_OK(sem_wait(sem));
	CHECK_EQ(ended(child), 0);
	CHECK_OK(sem_unlink(name));
	CHECK_ERRNO(sem_unlink(name), ENOENT);
	CHECK_OK(sem_close(sem));
}

/* Takes turns with the other process. */
static void work(struct shared *shared, int me)
{
	pthread_barrier_wait(&shared->barrier);
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&shared->mutex);
		while (shared->turn != me)
			pthread_cond_wait(&shared->changed, &shared->mutex);
		shared->count++;
		shared->turn = !me;
		pthread_cond_signal(&shared->changed);
		pthread_mutex_unlock(&shared->mutex);
	}
	sem_post(&shared->done);
}

static void together(const char *how)
{
	struct shared *shared = map(O_CREAT);
	pthread_mutexattr_t mutex;
	pthread_mutexattr_init(&mutex);
	CHECK_EQ(pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST), 0);
	CHECK_EQ(pthread_mutex_init(&shared->mutex, &mutex), 0);
	pthread_condattr_t cond;
	pthread_condattr_init(&cond);
	CHECK_EQ(pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_cond_init(&shared->changed, &cond), 0);
	pthread_barrierattr_t barrier;
	pthread_barrierattr_init(&barrier);
	CHECK_EQ(pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED), 0);
	CHECK_EQ(pthread_barrier_init(&shared->barrier, &barrier, 2), 0);
	CHECK_OK(sem_init(&shared->done, 1, 0));
	pid_t pid = start();
	if (pid == 0) {
		if (how)
			execl("/proc/self/exe", "shared_names", how, name, NULL);
		work(shared, 1);
		finish();
	}
	work(shared, 0);
	CHECK_OK(sem_wait(&shared->done));
	CHECK_OK(sem_wait(&shared->done));
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(shared->count, 400);

	/* Whoever dies with the mutex leaves it to the next. */
	pid = start();
	if (pid == 0) {
		struct shared *own = map(0);
		pthread_mutex_lock(&own->mutex);
		_exit(0);
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(&shared->mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&shared->mutex), 0);
	CHECK_OK(munmap(shared, sizeof *shared));
	CHECK_OK(shm_unlink(name));
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		snprintf(name, sizeof name, "%s", argv[2]);
		if (strcmp(argv[1], "semaphore") == 0) {
			sem_t *sem = sem_open(name, 0);
			return sem == SEM_FAILED || sem_post(sem) < 0;
		}
		work(map(0), 1);
		return 0;
	}
	snprintf(name, sizeof name, "/lind-test-%d", (int)getpid());
	memory();
	semaphores();
	together(NULL);
	together("work");
	return check_done();
}
