/* Thread attributes: stack size, own stack, guard, scheduling, what a running thread says of itself. */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

static void *inside(void *argument)
{
	pthread_attr_t attributes;
	void *stack;
	size_t size, guard;
	char here;
	CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
	CHECK_EQ(pthread_attr_getstack(&attributes, &stack, &size), 0);
	CHECK((uintptr_t)&here >= (uintptr_t)stack && (uintptr_t)&here < (uintptr_t)stack + size);
	CHECK_EQ(pthread_attr_getguardsize(&attributes, &guard), 0);
	CHECK_EQ(pthread_attr_destroy(&attributes), 0);
	if (argument)
		*(size_t *)argument = size;
	return stack;
}

static int deep(int depth)
{
	volatile char block[1000];
	block[depth % 1000] = (char)depth;
	return depth == 0 ? 0 : deep(depth - 1) + block[depth % 1000] - (char)depth;
}

static void *uses_much(void *argument)
{
	return (void *)(long)deep((int)(long)argument);
}

int main(void)
{
	pthread_attr_t a;
	pthread_t thread;
	size_t size;
	void *stack, *result;
	int number;
	CHECK_EQ(pthread_attr_init(&a), 0);
	CHECK_EQ(pthread_attr_setstacksize(&a, 100), EINVAL);
	CHECK_EQ(pthread_attr_setstacksize(&a, 256 * 1024), 0);
	CHECK_EQ(pthread_attr_getstacksize(&a, &size), 0);
	CHECK_EQ(size, 256 * 1024);
	CHECK_EQ(pthread_create(&thread, &a, inside, &size), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(size >= 250 * 1024 && size <= 300 * 1024);

	/* The default is enough for 6 MB, 32 MB for 30. */
	CHECK_EQ(pthread_create(&thread, NULL, uses_much, (void *)6000), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == NULL);
	CHECK_EQ(pthread_attr_setstacksize(&a, 32 << 20), 0);
	CHECK_EQ(pthread_create(&thread, &a, uses_much, (void *)28000), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == NULL);

	/* A stack of our own, used for two threads one after the other. */
	stack = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(pthread_attr_setstack(&a, stack, 1 << 20), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(pthread_create(&thread, &a, inside, NULL), 0);
		CHECK_EQ(pthread_join(thread, &result), 0);
		CHECK(result == stack);
	}
	CHECK_OK(munmap(stack, 1 << 20));
	CHECK_EQ(pthread_attr_destroy(&a), 0);

	CHECK_EQ(pthread_attr_init(&a), 0);
	CHECK_EQ(pthread_attr_getguardsize(&a, &size), 0);
	CHECK_EQ(size, (size_t)sysconf(_SC_PAGESIZE));
	CHECK_EQ(pthread_attr_setguardsize(&a, 0), 0);
	CHECK_EQ(pthread_create(&thread, &a, inside, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(pthread_attr_getscope(&a, &number), 0);
	CHECK_EQ(number, PTHREAD_SCOPE_SYSTEM);
	CHECK_EQ(pthread_attr_setscope(&a, PTHREAD_SCOPE_PROCESS), ENOTSUP);
	CHECK_EQ(pthread_attr_getinheritsched(&a, &number), 0);
	CHECK_EQ(number, PTHREAD_INHERIT_SCHED);
	CHECK_EQ(pthread_attr_getschedpolicy(&a, &number), 0);
	CHECK_EQ(number, SCHED_OTHER);
	struct sched_param parameters;
	CHECK_EQ(pthread_getschedparam(pthread_self(), &number, &parameters), 0);
	CHECK_EQ(number, SCHED_OTHER);
	CHECK_EQ(parameters.sched_priority, 0);
	CHECK_EQ(pthread_getconcurrency(), 0);
	CHECK_EQ(pthread_attr_destroy(&a), 0);
	inside(NULL);
	return check_done();
}
