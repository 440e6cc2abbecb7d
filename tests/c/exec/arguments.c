/* exec hands over arguments and environment exactly, up to its limits; too much is E2BIG and changes nothing. */
#include "process.h"

extern char **environ;

/* A sum over a list and the lengths in it. */
static unsigned long long sum(char **list, int *count)
{
	unsigned long long sum = 0;
	for (*count = 0; list[*count]; ++*count) {
		for (const char *c = list[*count]; *c; c++)
			sum = sum * 31 + (unsigned char)*c;
		sum = sum * 7 + strlen(list[*count]);
	}
	return sum;
}

static char *self;

static void run(char **args, char **env)
{
	int count;
	printf("given %llx", sum(args, &count) & 0xffffffff);
	printf(" %d", count);
	printf(" %llx", sum(env, &count) & 0xffffffff);
	printf(" %d\n", count);
	pid_t pid = start();
	if (pid == 0) {
		execve(self, args, env);
		printf("exec fails with %s\n", strerrorname_np(errno));
		finish();
	}
	CHECK_EQ(ended(pid), 0);
}

int main(int argc, char **argv)
{
	if (argv[0][0] == 0)
		return argc == 1 && argv[1] == NULL && getenv("NO") != NULL ? 8 : 7;
	if (strcmp(argv[0], "arguments") == 0) {
		int count;
		CHECK_EQ(argv[argc] == NULL, 1);
		printf("got   %llx", sum(argv, &count) & 0xffffffff);
		CHECK_EQ(count, argc);
		printf(" %d", count);
		printf(" %llx", sum(environ, &count) & 0xffffffff);
		printf(" %d\n", count);
		finish();
	}
	self = argv[0];
	char *none[] = { NULL };
	run((char *[]){ "arguments", NULL }, none);
	run((char *[]){ "arguments", "", "", "a b", "\"quoted\"", "new\nline", "\xff\xfe", NULL }, (char *[]){ "", "=", "A=", "B==", "C", "A=again", NULL });

	static char *many[5002], *vars[3002];
	many[0] = "arguments";
	for (int i = 1; i <= 5000; i++)
		CHECK(asprintf(&many[i], "argument number %d", i) > 0);
	for (int i = 0; i <= 3000; i++)
		CHECK(asprintf(&vars[i], "VARIABLE_%d=%0*d", i, i % 100, i) > 0);
	run(many, vars);

	/* One string: 128 KiB with its end, not a byte more. */
	char *longest = malloc(131073);
	memset(longest, 'L', 131072);
	longest[131071] = 0;
	run((char *[]){ "arguments", longest, NULL }, (char *[]){ longest, NULL });
	longest[131071] = 'L';
	longest[131072] = 0;
	run((char *[]){ "arguments", longest, NULL }, none);
	run((char *[]){ "arguments", NULL }, (char *[]){ longest, NULL });
	CHECK_ERRNO(execve(self, (char *[]){ "arguments", longest, NULL }, none), E2BIG);

	/* All together at most a quarter of the stack's limit and 6 MiB: 100 strings of 100 KiB are too many, 15 are not. */
	longest[100000] = 0;
	static char *heap[102];
	heap[0] = "arguments";
	for (int i = 1; i <= 100; i++)
		heap[i] = longest;
	CHECK_ERRNO(execve(self, heap, none), E2BIG);
	CHECK_ERRNO(execve(self, none, heap), E2BIG);
	heap[16] = NULL;
	run(heap, none);

	/* No arguments at all become one empty one. */
	pid_t pid = start();
	if (pid == 0) {
		execve(self, none, (char *[]){ "NO=arguments", NULL });
		_exit(9);
	}
	CHECK_EQ(ended(pid), 8);
	CHECK_ERRNO(execve(self, (char **)16, none), EFAULT);
	CHECK_ERRNO(execve(self, (char *[]){ (char *)16, NULL }, none), EFAULT);
	CHECK_ERRNO(execve(self, none, (char **)16), EFAULT);
	CHECK_ERRNO(execve((char *)16, none, none), EFAULT);
	return check_done();
}
