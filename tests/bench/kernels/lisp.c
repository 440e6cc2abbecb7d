/* Pointers and recursion: a tree-walking evaluator of a small Lisp. */
#include <string.h>
#include "kernel.h"

enum tag { NIL, NUMBER, SYMBOL, PAIR, BUILTIN, CLOSURE };
enum { CELLS = 400000, GLOBALS = 16 };

struct cell {
	enum tag tag;
	uint32_t head, tail;
};

static struct cell cells[CELLS];
static uint32_t used, nil, global_count;
static struct { uint32_t name, value; } globals[GLOBALS];
static const char *source;

OUTLINE static uint32_t make(enum tag tag, uint32_t head, uint32_t tail)
{
	if (used >= CELLS)
		return (uint32_t)unlikely_fork();
	cells[used] = (struct cell){ tag, head, tail };
	return used++;
}

static uint32_t hash(const char *text, size_t length)
{
	uint32_t value = 0;
	while (length--)
		value = value * 31 + (unsigned char)*text++;
	return value;
}

OUTLINE static uint32_t read_form(void)
{
	while (*source == ' ')
		source++;
	if (*source == '(') {
		uint32_t first = nil, last = nil;
		source++;
		for (;;) {
			while (*source == ' ')
				source++;
			if (*source == ')') {
				source++;
				return first;
			}
			uint32_t pair = make(PAIR, read_form(), nil);
			if (first == nil)
				first = pair;
			else
				cells[last].tail = pair;
			last = pair;
		}
	}
	size_t length = strcspn(source, " ()");
	const char *word = source;
	source += length;
	return *word >= '0' && *word <= '9' ? make(NUMBER, (uint32_t)atoi(word), 0) : make(SYMBOL, hash(word, length), 0);
}

OUTLINE static uint32_t lookup(uint32_t name, uint32_t scope)
{
	for (; scope != nil; scope = cells[scope].tail) {
		uint32_t binding = cells[scope].head;
		if (cells[binding].head == name)
			return cells[binding].tail;
	}
	for (uint32_t i = 0; i < global_count; i++)
		if (globals[i].name == name)
			return globals[i].value;
	return nil;
}

OUTLINE static uint32_t evaluate(uint32_t form, uint32_t scope);

OUTLINE static uint32_t evaluate_list(uint32_t list, uint32_t scope)
{
	if (list == nil)
		return nil;
	uint32_t value = evaluate(cells[list].head, scope);
	return make(PAIR, value, evaluate_list(cells[list].tail, scope));
}

static uint32_t first(uint32_t arguments)
{
	return cells[cells[arguments].head].head;
}

static uint32_t second(uint32_t arguments)
{
	return cells[cells[cells[arguments].tail].head].head;
}

OUTLINE static uint32_t add(uint32_t a) { return make(NUMBER, first(a) + second(a), 0); }
OUTLINE static uint32_t subtract(uint32_t a) { return make(NUMBER, first(a) - second(a), 0); }
OUTLINE static uint32_t less(uint32_t a) { return first(a) < second(a) ? make(NUMBER, 1, 0) : nil; }
OUTLINE static uint32_t multiply(uint32_t a) { return make(NUMBER, first(a) * second(a), 0); }

static uint32_t (*const builtins[])(uint32_t) = { add, subtract, less, multiply };

OUTLINE static uint32_t evaluate(uint32_t form, uint32_t scope)
{
	const uint32_t if_name = hash("if", 2), function_name = hash("fn", 2);
	for (;;) {
		switch (cells[form].tag) {
		case NIL:
		case NUMBER:
			return form;
		case SYMBOL:
			return lookup(cells[form].head, scope);
		default:
			break;
		}
		uint32_t operator= cells[form].head, rest = cells[form].tail;
		uint32_t name = cells[operator].tag == SYMBOL ? cells[operator].head : 0;
		if (name == if_name) {
			uint32_t condition = evaluate(cells[rest].head, scope), branches = cells[rest].tail;
			form = condition != nil ? cells[branches].head : cells[cells[branches].tail].head;
			continue;
		}
		if (name == function_name)
			return make(CLOSURE, rest, scope);
		uint32_t function = evaluate(operator, scope), arguments = evaluate_list(rest, scope);
		if (cells[function].tag == BUILTIN)
			return builtins[cells[function].head](arguments);
		if (cells[function].tag != CLOSURE)
			return nil;
		uint32_t definition = cells[function].head, parameters = cells[definition].head;
		scope = cells[function].tail;
		for (; parameters != nil && arguments != nil; parameters = cells[parameters].tail, arguments = cells[arguments].tail) {
			uint32_t binding = make(PAIR, cells[cells[parameters].head].head, cells[arguments].head);
			scope = make(PAIR, binding, scope);
		}
		form = cells[cells[definition].tail].head;
	}
}

static uint32_t run(const char *text)
{
	source = text;
	return evaluate(read_form(), nil);
}

static void define(const char *name, uint32_t value)
{
	globals[global_count].name = hash(name, strlen(name));
	globals[global_count++].value = value;
}

static uint32_t kernel(void)
{
	static const char *const names[] = { "+", "-", "<", "*" };
	uint32_t check = 0;
	for (int round = 0; round < 60; round++) {
		used = global_count = 0;
		nil = make(NIL, 0, 0);
		for (uint32_t i = 0; i < 4; i++)
			define(names[i], make(BUILTIN, i, 0));
		define("fib", run("(fn (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))"));
		define("loop", run("(fn (k a) (if (< k 1) a (loop (- k 1) (+ (* a 3) k))))"));
		check = check * 7 + cells[run("(fib 16)")].head;
		check = check * 7 + cells[run("(loop 3000 1)")].head;
	}
	return check;
}
