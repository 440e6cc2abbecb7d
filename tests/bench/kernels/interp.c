/* Indirect calls: a stack machine whose operations are reached through a table of functions. */
#include "kernel.h"

enum { PUSH, ADD, MULTIPLY, ACCUMULATE, LOAD, XOR, REPEAT, SYSTEM, HALT = 255 };
enum { STACK = 64 };

struct machine {
	uint32_t pc, top, accumulator, repeat, steps;
	uint32_t stack[STACK];
	const uint8_t *code;
};

static uint32_t *slot(struct machine *m, uint32_t index)
{
	return &m->stack[index % STACK];
}

OUTLINE static void push(struct machine *m)
{
	*slot(m, m->top++) = m->code[m->pc++];
}

OUTLINE static void add(struct machine *m)
{
	m->top--;
	*slot(m, m->top - 1) += *slot(m, m->top);
}

OUTLINE static void multiply(struct machine *m)
{
	m->top--;
	*slot(m, m->top - 1) *= *slot(m, m->top);
}

OUTLINE static void accumulate(struct machine *m)
{
	m->accumulator = m->accumulator * 31 + *slot(m, --m->top);
}

OUTLINE static void load(struct machine *m)
{
	*slot(m, m->top++) = m->accumulator;
}

OUTLINE static void exclusive_or(struct machine *m)
{
	m->top--;
	*slot(m, m->top - 1) ^= *slot(m, m->top);
}

OUTLINE static void repeat(struct machine *m)
{
	if (--m->repeat)
		m->pc = 0;
}

OUTLINE static void system_call(struct machine *m)
{
	m->accumulator += (uint32_t)unlikely_fork();
}

static void (*operations[])(struct machine *) = { push, add, multiply, accumulate, load, exclusive_or, repeat, system_call };

OUTLINE static uint32_t execute(struct machine *m)
{
	for (;;) {
		uint8_t operation = m->code[m->pc++];
		m->steps++;
		if (operation == HALT)
			return m->accumulator;
		operations[operation](m);
	}
}

static uint32_t kernel(void)
{
	static const uint8_t program[] = { PUSH, 7, PUSH, 9, ADD, LOAD, MULTIPLY, PUSH, 3, XOR, ACCUMULATE, LOAD, PUSH, 5, ADD,
		ACCUMULATE, PUSH, 1, LOAD, XOR, ACCUMULATE, REPEAT, HALT };
	struct machine m = { .code = program, .repeat = 2000000 };
	uint32_t result = execute(&m);
	return result ^ m.steps;
}
