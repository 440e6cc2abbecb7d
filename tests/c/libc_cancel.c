/* pthread_exit runs the cleanup handlers and the destructors of thread-specific data, in the main thread too. */
#include <pthread.h>
#include <stdlib.h>
#include "check.h"

static pthread_key_t key;

static void clean(void *what)
{
	printf("clean %s\n", (char *)what);
}

static void destroy(void *what)
{
	printf("destroy %s\n", (char *)what);
	fflush(stdout);
}

static void inner(void)
{
	pthread_cleanup_push(clean, "inner");
	pthread_exit(NULL);
	pthread_cleanup_pop(0);
}

int main(void)
{
	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	CHECK_EQ(pthread_setspecific(key, "value"), 0);
	pthread_cleanup_push(clean, "not run");
	pthread_cleanup_pop(0);
	pthread_cleanup_push(clean, "popped");
	pthread_cleanup_pop(1);
	CHECK_EQ(check_failures, 0);
	pthread_cleanup_push(clean, "outer");
	inner();
	pthread_cleanup_pop(0);
	return 1;
}
