/* Functions that libc itself calls with another number of arguments than they take, on some machines' terms. */
#include <ftw.h>
#include <printf.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static int counted;

static int see(const char *path, const struct stat *st, int kind)
{
	counted += kind == FTW_F || kind == FTW_D;
	return 0;
}

static int see_more(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	counted += where->level;
	return 0;
}

static int print_pair(FILE *out, const struct printf_info *info, const void *const *args)
{
	int value = **(const int *const *)args;
	return fprintf(out, "<%d|%d>", value, info->width);
}

static int pair_arguments(const struct printf_info *info, size_t n, int *types)
{
	if (n > 0)
		types[0] = PA_INT;
	return 1;
}

static int descending(const void *a, const void *b)
{
	return *(const int *)b - *(const int *)a;
}

static int by_sign(const void *a, const void *b, void *sign)
{
	return (*(const int *)a - *(const int *)b) * *(int *)sign;
}

static void last(void)
{
	printf("at quick exit\n");
	fflush(stdout);
}

int main(void)
{
	char dir[] = "/tmp/libc_calltypes.XXXXXX", file[64];
	CHECK(mkdtemp(dir) != NULL);
	snprintf(file, sizeof file, "%s/file", dir);
	fclose(fopen(file, "w"));
	CHECK_EQ(ftw(dir, see, 5), 0);
	CHECK_EQ(counted, 2);
	counted = 0;
	CHECK_EQ(nftw(dir, see_more, 5, FTW_PHYS), 0);
	CHECK_EQ(counted, 1);
	unlink(file);
	rmdir(dir);

	int numbers[] = { 3, 1, 2 }, sign = 1;
	qsort(numbers, 3, sizeof *numbers, descending);
	printf("%d %d %d\n", numbers[0], numbers[1], numbers[2]);
	qsort_r(numbers, 3, sizeof *numbers, by_sign, &sign);
	printf("%d %d %d\n", numbers[0], numbers[1], numbers[2]);

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	CHECK_EQ(register_printf_function('Y', print_pair, pair_arguments), 0);
	const char *volatile format = "%7Y and %s\n";
	printf(format, 42, "text");

	setpwent();
	while (getpwent() != NULL)
		;
	endpwent();
	CHECK_EQ(check_failures, 0);
	at_quick_exit(last);
	fflush(stdout);
	quick_exit(0);
}
