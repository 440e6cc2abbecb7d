/* timer_create: absolute times, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID, errors; no timer for a child. */
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include "process.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static sem_t done;
static volatile int calls, value;
static volatile pid_t ran_in;

static void notified(union sigval given)
{
	value = given.sival_int;
	CHECK(gettid() != getpid());
	sem_post(&done);
}

static void on_timer(int signo)
{
	(void)signo;
	calls++;
	ran_in = gettid();
}

static void *targeted(void *argument)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN };
	timer_t timer;
	event.sigev_notify_thread_id = gettid();
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK_OK(timer_settime(timer, 0, &(struct itimerspec){ { 0, 0 }, { 0, 1000000 } }, NULL));
	while (calls == 0)
		usleep(500);
	CHECK_EQ(ran_in, gettid());
	CHECK_OK(timer_delete(timer));
	return argument;
}

int main(void)
{
	timer_t timer;
	struct itimerspec spec = { { 0, 0 }, { 0, 1000000 } }, now;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = notified, .sigev_value.sival_int = 77 };
	CHECK_OK(sem_init(&done, 0, 0));
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK_OK(timer_settime(timer, 0, &spec, NULL));
	CHECK_OK(sem_wait(&done));
	CHECK_EQ(value, 77);
	CHECK_OK(timer_delete(timer));

	CHECK_OK(handle(SIGRTMIN, on_timer, SA_RESTART));
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, targeted, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);

	event = (struct sigevent){ .sigev_notify = SIGEV_NONE };
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	spec.it_value = (struct timespec){ 50, 0 };
	CHECK_OK(timer_settime(timer, 0, &spec, NULL));
	CHECK_OK(timer_gettime(timer, &now));
	CHECK(now.it_value.tv_sec >= 40 && now.it_value.tv_sec <= 50);
	CHECK_EQ(timer_getoverrun(timer), 0);
	CHECK_OK(timer_delete(timer));

	/* Absolute; in the past it is due at once. */
	calls = 0;
	event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	CHECK_OK(timer_create(CLOCK_REALTIME, &event, &timer));
	spec.it_value = (struct timespec){ 1, 0 };
	CHECK_OK(timer_settime(timer, TIMER_ABSTIME, &spec, NULL));
	while (calls == 0)
		usleep(500);
	clock_gettime(CLOCK_REALTIME, &spec.it_value);
	spec.it_value.tv_sec += 30;
	CHECK_OK(timer_settime(timer, TIMER_ABSTIME, &spec, &now));
	CHECK_OK(timer_gettime(timer, &now));
	CHECK(now.it_value.tv_sec >= 20 && now.it_value.tv_sec <= 30);
	pid_t pid = start();
	if (pid == 0) {
		CHECK_ERRNO(timer_gettime(timer, &now), EINVAL);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	spec.it_value.tv_nsec = 1000000000;
	CHECK_ERRNO(timer_settime(timer, 0, &spec, NULL), EINVAL);
	CHECK_OK(timer_delete(timer));

	/* Without an event: SIGALRM with the timer's id. */
	calls = 0;
	CHECK_OK(handle(SIGALRM, on_timer, 0));
	CHECK_OK(timer_create(CLOCK_MONOTONIC, NULL, &timer));
	spec = (struct itimerspec){ { 0, 0 }, { 0, 1 } };
	CHECK_OK(timer_settime(timer, 0, &spec, NULL));
	while (calls == 0)
		usleep(500);
	CHECK_OK(timer_delete(timer));

	/* A signal that nobody catches is taken all the same when it is no longer blocked: its timer tells how often it ran. */
	mask(SIG_BLOCK, SIGCONT);
	event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT };
	CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	spec = (struct itimerspec){ { 0, 1000000 }, { 0, 1000000 } };
	CHECK_OK(timer_settime(timer, 0, &spec, NULL));
	sleep_ms(50);
	CHECK_EQ(timer_getoverrun(timer), 0);
	mask(SIG_UNBLOCK, SIGCONT);
	CHECK(timer_getoverrun(timer) >= 20);
	CHECK_OK(timer_delete(timer));

	CHECK_ERRNO(timer_create(77, NULL, &timer), EINVAL);
	event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99 };
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	event = (struct sigevent){ .sigev_notify = 77, .sigev_signo = SIGUSR1 };
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
	return check_done();
}
