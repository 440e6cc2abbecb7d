/* Checks for C tests: a check that fails says where and why on standard output, and the program's status is 1.
 *
 * Each macro evaluates its expression once. End `main` with `return check_done();`.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int check_failures;

static inline void check_failed(const char *file, int line, const char *text)
{
	const char *base = strrchr(file, '/');
	check_failures++;
	printf("%s:%d: %s", base ? base + 1 : file, line, text);
}

/* The condition holds. */
#define CHECK(condition)                                                        \
	do {                                                                    \
		if (!(condition)) {                                             \
			check_failed(__FILE__, __LINE__, #condition);           \
			puts(" does not hold");                                 \
		}                                                               \
	} while (0)

/* Two integers are equal. */
#define CHECK_EQ(expression, expected)                                          \
	do {                                                                    \
		long long check_a = (long long)(expression);                    \
		long long check_b = (long long)(expected);                      \
		if (check_a != check_b) {                                       \
			check_failed(__FILE__, __LINE__, #expression);          \
			printf(" is %lld, not %lld\n", check_a, check_b);       \
		}                                                               \
	} while (0)

/* Two strings are equal. */
#define CHECK_STR(expression, expected)                                         \
	do {                                                                    \
		const char *check_a = (expression), *check_b = (expected);      \
		if (!check_a || strcmp(check_a, check_b) != 0) {                \
			check_failed(__FILE__, __LINE__, #expression);          \
			printf(" is \"%s\", not \"%s\"\n", check_a ? check_a : "(null)", check_b); \
		}                                                               \
	} while (0)

/* A call succeeds: its result is not negative. */
#define CHECK_OK(call)                                                          \
	do {                                                                    \
		long long check_r = (errno = 0, (long long)(call));             \
		if (check_r < 0) {                                              \
			check_failed(__FILE__, __LINE__, #call);                \
			printf(" fails with %s\n", strerrorname_np(errno));     \
		}                                                               \
	} while (0)

/* A call returns -1 and sets errno. */
#define CHECK_ERRNO(call, expected)                                             \
	do {                                                                    \
		long long check_r = (errno = 0, (long long)(call));             \
		int check_e = errno;                                            \
		if (check_r != -1) {                                            \
			check_failed(__FILE__, __LINE__, #call);                \
			printf(" returns %lld, not -1 with %s\n", check_r, #expected); \
		} else if (check_e != (expected)) {                             \
			check_failed(__FILE__, __LINE__, #call);                \
			printf(" fails with %s, not %s\n",                      \
			       check_e ? strerrorname_np(check_e) : "0", #expected); \
		}                                                               \
	} while (0)

static inline int check_done(void)
{
	printf("%s\n", check_failures ? "FAILED" : "all checks hold");
	return check_failures != 0;
}

#endif
