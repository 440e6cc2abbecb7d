/* RLIMIT_NPROC: fork and pthread_create give EAGAIN and leave nothing behind; it binds the user, not root. */
#include <pthread.h>
#include <sys/resource.h>
#include "process.h"

static void *nothing(void *argument)
{
	return argument;
}

static void limited(void)
{
	pthread_t thread;
	struct rlimit limit = { 0, 0 };
	if (geteuid() == 0) {
		CHECK_OK(setgid(54321));
		CHECK_OK(setuid(54321));
	}
	CHECK_OK(setrlimit(RLIMIT_NPROC, &limit));
	CHECK_OK(getrlimit(RLIMIT_NPROC, &limit));
	CHECK_EQ(limit.rlim_cur, 0);
	for (int i = 0; i < 3; i++) {
		CHECK_ERRNO(fork(), EAGAIN);
		CHECK_ERRNO(vfork(), EAGAIN);
		CHECK_EQ(pthread_create(&thread, NULL, nothing, NULL), EAGAIN);
	}
	CHECK_ERRNO(wait(NULL), ECHILD);
	limit.rlim_max = 1;
	CHECK_ERRNO(setrlimit(RLIMIT_NPROC, &limit), EPERM);
}

int main(void)
{
	CHECK_EQ(in_child(limited), 0);
	CHECK_EQ(in_child(limited), 0);
	return check_done();
}
