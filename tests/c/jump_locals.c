/* Locals that do not change after setjmp keep their values; so do arrays, structures and what lies in registers.
 *
 * @opt -O0 -O1 -O2 -O3
 */
#include <setjmp.h>
#include <stdlib.h>
#include "check.h"

struct record {
	int a;
	double b;
	char text[24];
	long long c;
};

static jmp_buf env;
static void (*volatile jump)(jmp_buf, int) = longjmp;

static int unchanged(int a, int b, double c, long long d, const char *text, struct record r)
{
	int list[16];
	int e = a * 3 + b, f = a ^ b, g = a - b;
	double h = c * 1.5, i = c + a;
	for (int k = 0; k < 16; k++)
		list[k] = k * e;
	if (setjmp(env) == 0) {
		char *noise = malloc(1000);
		memset(noise, 1, 1000);
		free(noise);
		jump(env, 1);
	}
	int sum = 0;
	for (int k = 0; k < 16; k++)
		sum += list[k];
	printf("%d %d %.2f %lld %s\n", a, b, c, d, text);
	printf("%d %d %d %.2f %.2f %d\n", e, f, g, h, i, sum);
	printf("%d %.2f %s %lld\n", r.a, r.b, r.text, r.c);
	return sum;
}

static int loop(int n)
{
	volatile int retries = 0;
	int total = 0;
	for (int i = 0; i < n; i++) {
		if (setjmp(env) != 0)
			retries = retries + 1;
		else if (i % 3 == 0)
			jump(env, i + 1);
	}
	total = retries;
	return total;
}

/* A parser of the kind that reports errors by longjmp. */
static const char *cursor;
static int expression(void);

static int primary(void)
{
	if (*cursor == '(') {
		cursor++;
		int value = expression();
		if (*cursor++ != ')')
			longjmp(env, 2);
		return value;
	}
	if (*cursor < '0' || *cursor > '9')
		longjmp(env, 3);
	return *cursor++ - '0';
}

static int expression(void)
{
	int value = primary();
	while (*cursor == '+' || *cursor == '*') {
		char op = *cursor++;
		int right = primary();
		value = op == '+' ? value + right : value * right;
	}
	return value;
}

int main(void)
{
	struct record r = { 7, 1.25, "in a record", -9000000000LL };
	unchanged(3, 4, 2.5, 1LL << 45, "text", r);
	printf("%d\n", loop(30));
	static const char *const inputs[] = { "1+2*3", "(1+2)*3", "(1+2", "1+", "((((5))))", "x" };
	for (volatile int i = 0; i < 6; i++) {
		int error = setjmp(env);
		if (error) {
			printf("%s: error %d\n", inputs[i], error);
			continue;
		}
		cursor = inputs[i];
		printf("%s = %d\n", inputs[i], expression());
	}
	return check_done();
}
