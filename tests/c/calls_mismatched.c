/* Functions called through a pointer of another type behave as on ordinary machines. Old programs do it everywhere.
 *
 * @opt -O0 -O2
 * @cflags -w -std=gnu11
 */
#include <search.h>
#include <stdlib.h>
#include "check.h"

struct item { int key; };

static int by_key(struct item *a, struct item *b) { return a->key - b->key; }
static int by_name(char **a, char **b) { return strcmp(*a, *b); }
static void fewer(void) { printf("fewer\n"); }
static int more(int a, int b, int c) { return a + (b & 0) + (c & 0); }
static int returns(int a) { return a * 2; }
static void *pointer(void *p) { return p; }
static unsigned char narrow(unsigned char c) { return c + 1; }
static int one(int a) { return a; }

/* An old-style definition is called with whatever the caller has. */
static int old(a, b)
	int a;
	int b;
{
	return a * 10 + b;
}

static void visit(const void *node, VISIT order, int depth)
{
	if (order == postorder || order == leaf)
		printf("%d ", (*(struct item **)node)->key);
}

int main(void)
{
	struct item items[] = { { 5 }, { 3 }, { 9 }, { 1 } }, key = { 9 };
	char *names[] = { "pear", "apple", "fig" };
	qsort(items, 4, sizeof *items, (int (*)(const void *, const void *))by_key);
	for (int i = 0; i < 4; i++)
		printf("%d ", items[i].key);
	struct item *found = bsearch(&key, items, 4, sizeof *items, (int (*)(const void *, const void *))by_key);
	printf("found %d\n", found->key);
	qsort(names, 3, sizeof *names, (int (*)(const void *, const void *))by_name);
	printf("%s %s %s\n", names[0], names[1], names[2]);

	void (*volatile a)(int, int) = (void (*)(int, int))fewer;
	a(1, 2);
	int (*volatile b)(int) = (int (*)(int))more;
	printf("%d\n", b(41));
	void (*volatile c)(int) = (void (*)(int))returns;
	c(3);
	char *(*volatile d)(const char *) = (char *(*)(const char *))pointer;
	printf("%s\n", d("through"));
	int (*volatile e)(int) = (int (*)(int))narrow;
	printf("%d\n", e(7) & 0xff);
	unsigned (*volatile f)(unsigned, unsigned) = (unsigned (*)(unsigned, unsigned))one;
	printf("%u\n", f(8, 9));
	int (*volatile g)() = (int (*)())old;
	printf("%d\n", g(4, 2));

	void *root = NULL;
	for (int i = 0; i < 4; i++)
		tsearch(&items[i], &root, (int (*)(const void *, const void *))by_key);
	twalk(root, visit);
	putchar('\n');
	tdelete(&key, &root, (int (*)(const void *, const void *))by_key);
	tdestroy(root, (void (*)(void *))one);
	return check_done();
}
