/* mq_notify with SIGEV_THREAD: a function runs in a thread of its own, once for each registration.
 */
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include "ipc.h"

static sem_t called;
static pthread_t first;
static int value;

static void notify(union sigval given)
{
	CHECK(!pthread_equal(pthread_self(), first));
	value = given.sival_int;
	sem_post(&called);
}

static int is_called(void)
{
	struct timespec limit;
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 5;
	return sem_timedwait(&called, &limit) == 0;
}

int main(void)
{
	char name[64], text[100];
	as_nobody();
	first = pthread_self();
	sem_init(&called, 0, 0);
	snprintf(name, sizeof name, "/lind-threads-%d", (int)getpid());
	struct mq_attr size = { .mq_maxmsg = 4, .mq_msgsize = sizeof text };
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
	CHECK_OK(queue);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify,
				  .sigev_notify_attributes = &attributes };
	for (int i = 1; i <= 3; i++) {
		event.sigev_value.sival_int = i * 11;
		CHECK_OK(mq_notify(queue, &event));
		CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
		CHECK_OK(mq_send(queue, "x", 2, 0));
		CHECK(is_called());
		CHECK_EQ(value, i * 11);
		CHECK_EQ(mq_receive(queue, text, sizeof text, NULL), 2);
	}
	/* Removed: nothing is called. */
	CHECK_OK(mq_notify(queue, &event));
	CHECK_OK(mq_notify(queue, NULL));
	CHECK_OK(mq_send(queue, "x", 2, 0));
	sleep_ms(50);
	CHECK_ERRNO(sem_trywait(&called), EAGAIN);
	CHECK_EQ(mq_receive(queue, text, sizeof text, NULL), 2);

	/* A child's message, and a child's own registration. */
	event.sigev_notify_attributes = NULL;
	CHECK_OK(mq_notify(queue, &event));
	pid_t pid = start();
	if (pid == 0) {
		CHECK_OK(mq_send(queue, "x", 2, 0));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK(is_called());
	CHECK_OK(mq_close(queue));
	CHECK_OK(mq_unlink(name));
	return check_done();
}
