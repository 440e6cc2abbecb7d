/* fopencookie, obstack, argz, envz and printf extensions. */
#include <argz.h>
#include <obstack.h>
#include <printf.h>
#include <stdlib.h>
#include "check.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static char sunk[64];
static ssize_t sink(void *cookie, const char *text, size_t n)
{
	++*(int *)cookie;
	strncat(sunk, text, n);
	return (ssize_t)n;
}

static int print_pair(FILE *f, const struct printf_info *info, const void *const *args)
{
	(void)info;
	const int *p = *(int *const *)args[0];
	return fprintf(f, "<%d,%d>", p[0], p[1]);
}

static int pair_arguments(const struct printf_info *info, size_t n, int *types, int *size)
{
	(void)info;
	if (n > 0)
		types[0] = PA_POINTER, size[0] = sizeof(void *);
	return 1;
}

int main(void)
{
	int calls = 0, pair[] = { 3, 4 };
	FILE *f = fopencookie(&calls, "w", (cookie_io_functions_t){ .write = sink });
	fprintf(f, "cooked %d", 1);
	CHECK_OK(fclose(f));
	CHECK_STR(sunk, "cooked 1");
	CHECK(calls >= 1);
	struct obstack stack;
	obstack_init(&stack);
	for (int i = 0; i < 1000; i++)
		obstack_printf(&stack, "%d,", i);
	obstack_1grow(&stack, 0);
	char *text = obstack_finish(&stack);
	CHECK_EQ(strlen(text), 3890);
	obstack_free(&stack, NULL);
	CHECK_EQ(register_printf_specifier('W', print_pair, pair_arguments), 0);
	char with_pair[32];
	const char *volatile format = "%W!";
	snprintf(with_pair, sizeof with_pair, format, pair);
	CHECK_STR(with_pair, "<3,4>!");
	char *argz = NULL;
	size_t length = 0;
	CHECK_EQ(argz_create_sep("a:b:c", ':', &argz, &length), 0);
	CHECK_EQ(argz_count(argz, length), 3);
	free(argz);
	return check_done();
}
