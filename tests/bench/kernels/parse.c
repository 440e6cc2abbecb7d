/* Small functions over text: a recursive-descent evaluator of arithmetic expressions. */
#include <string.h>
#include "kernel.h"

static const char *cursor;

static uint32_t sum(void);

OUTLINE static char peek(void)
{
	while (*cursor == ' ')
		cursor++;
	return *cursor;
}

OUTLINE static uint32_t primary(void)
{
	uint32_t value = 0;
	if (peek() == '(') {
		cursor++;
		value = sum();
		peek();
		cursor++;
		return value;
	}
	while (*cursor >= '0' && *cursor <= '9')
		value = value * 10 + (uint32_t)(*cursor++ - '0');
	if (value == 987654321)
		value = (uint32_t)unlikely_fork();
	return value;
}

OUTLINE static uint32_t product(void)
{
	uint32_t value = primary();
	for (;;) {
		char operation = peek();
		if (operation == '*') {
			cursor++;
			value *= primary();
		} else if (operation == '/') {
			cursor++;
			uint32_t divisor = primary();
			value /= divisor ? divisor : 1;
		} else {
			return value;
		}
	}
}

OUTLINE static uint32_t sum(void)
{
	uint32_t value = product();
	for (;;) {
		char operation = peek();
		if (operation == '+') {
			cursor++;
			value += product();
		} else if (operation == '-') {
			cursor++;
			value -= product();
		} else {
			return value;
		}
	}
}

static uint32_t kernel(void)
{
	static const char part[] = "((12 + 7)*3 - (8*(2 + 5) - 9/2))*(1 + 2*(3 + 4*(5 - 6))) + ";
	static char text[4096];
	uint32_t check = 0;
	text[0] = 0;
	for (int i = 0; i < 60; i++)
		strcat(text, part);
	strcat(text, "1");
	for (int round = 0; round < 12000; round++) {
		cursor = text;
		check = check * 7 + sum();
	}
	return check;
}
