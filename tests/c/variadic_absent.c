/* A variadic function that reads arguments which its caller left out finds some value and no fault; a caller's own
 * arguments arrive whole.
 *
 * @opt -O0 -O2
 * @cflags -D_GNU_SOURCE -w
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

static volatile int sink;

/* As many programs wrap open: the mode is always read. */
static int opened(const char *path, int flags, ...)
{
	va_list list;
	va_start(list, flags);
	int mode = va_arg(list, int);
	va_end(list);
	return open(path, flags, mode);
}

/* Reads several arguments of all kinds. */
static int many(int first, ...)
{
	va_list list;
	va_start(list, first);
	long long sum = first;
	for (int i = 0; i < 3; i++) {
		sum += va_arg(list, int);
		sum += va_arg(list, long long);
		sum += va_arg(list, void *) != NULL;
	}
	va_end(list);
	sink = (int)sum;
	return first;
}

/* The list as a member, copied before it is read. */
struct state {
	va_list list;
	int count;
};

static int copied(struct state *state, ...)
{
	va_start(state->list, state);
	va_list copy;
	va_copy(copy, state->list);
	int sum = 0;
	for (int i = 0; i < state->count; i++)
		sum += va_arg(state->list, int) - va_arg(copy, int);
	va_end(copy);
	va_end(state->list);
	return sum;
}

/* Without the header's name for it. */
static int built_in(int count, ...)
{
	__builtin_va_list list;
	__builtin_va_start(list, count);
	int sum = 0;
	for (int i = 0; i < count; i++)
		sum += __builtin_va_arg(list, int);
	__builtin_va_end(list);
	return sum;
}

/* Hands the list on. */
static int text(char *buffer, size_t size, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	int length = vsnprintf(buffer, size, format, list);
	va_end(list);
	return length;
}

/* The list in a register, begun twice. */
static int twice(int count, ...)
{
	register int sum = 0;
	for (int round = 0; round < 2; round++) {
		va_list list;
		va_start(list, count);
		for (int i = 0; i < count; i++)
			sum += va_arg(list, int);
		va_end(list);
	}
	return sum;
}

int main(void)
{
	char buffer[64];

	int fd = opened("/dev/null", O_RDONLY);
	CHECK(fd >= 0);
	close(fd);

	CHECK_EQ(many(5), 5);
	CHECK_EQ(many(1, 2), 1);

	struct state state = { .count = 3 };
	CHECK_EQ(copied(&state), 0);
	CHECK_EQ(copied(&state, 7, 8, 9), 0);

	sink = built_in(1);
	CHECK_EQ(built_in(0), 0);
	CHECK_EQ(built_in(3, 10, 20, 30), 60);

	CHECK(text(buffer, sizeof(buffer), "%d and %x") > 0);
	CHECK(snprintf(buffer, sizeof(buffer), "%d") > 0);
	CHECK_EQ(text(buffer, sizeof(buffer), "plain"), 5);
	CHECK_EQ(text(buffer, sizeof(buffer), "%d %s %.1f", 1, "two", 3.0), 9);
	CHECK_STR(buffer, "1 two 3.0");

	sink = twice(2);
	CHECK_EQ(twice(3, 1, 2, 3), 12);
	return check_done();
}
