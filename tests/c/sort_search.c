/* qsort, bsearch, hash tables, trees, queues. */
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/queue.h>
#include "check.h"

static int ints(const void *a, const void *b) { return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b; }
static int reversed(const void *a, const void *b, void *data) { ++*(int *)data; return ints(b, a); }
static int strings(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static int as_key(const void *a, const void *b) { return strcmp(a, b); }

struct wide { char pad[37]; int key; };
static int wides(const void *a, const void *b) { return ints(&((const struct wide *)a)->key, &((const struct wide *)b)->key); }

struct node { int value; TAILQ_ENTRY(node) link; };
TAILQ_HEAD(list, node);

int main(void)
{
	static int n[20000];
	uint32_t s = 1;
	int calls = 0, sorted = 1;
	for (int i = 0; i < 20000; i++)
		n[i] = (int)((s = s * 1664525u + 1013904223u) >> 4);
	qsort(n, 20000, sizeof *n, ints);
	for (int i = 1; i < 20000; i++)
		sorted &= n[i - 1] <= n[i];
	CHECK(sorted);
	int *found = bsearch(&n[777], n, 20000, sizeof *n, ints);
	CHECK(found && *found == n[777]);
	qsort_r(n, 20000, sizeof *n, reversed, &calls);
	CHECK(n[0] >= n[1] && n[0] >= n[19999] && calls > 20000);

	static struct wide w[500];
	for (int i = 0; i < 500; i++)
		w[i].key = (i * 7919) % 500;
	qsort(w, 500, sizeof *w, wides);
	for (int i = 0; i < 500; i++)
		CHECK_EQ(w[i].key, i);

	char *names[] = { "delta", "alpha", "charlie", "bravo" };
	qsort(names, 4, sizeof *names, strings);
	for (int i = 0; i < 4; i++)
		printf("%s ", names[i]);
	putchar('\n');

	CHECK(hcreate(50) != 0);
	for (int i = 0; i < 4; i++)
		hsearch((ENTRY){ names[i], (void *)(intptr_t)i }, ENTER);
	ENTRY *e = hsearch((ENTRY){ "charlie", NULL }, FIND);
	CHECK(e && (intptr_t)e->data == 2);
	CHECK(hsearch((ENTRY){ "zulu", NULL }, FIND) == NULL);
	hdestroy();

	void *root = NULL;
	for (int i = 0; i < 4; i++)
		tsearch(names[i], &root, as_key);
	CHECK_STR(*(char **)tfind("bravo", &root, as_key), "bravo");
	CHECK(tfind("zulu", &root, as_key) == NULL);
	for (int i = 0; i < 4; i++)
		tdelete(names[i], &root, as_key);
	CHECK(root == NULL);

	struct list list = TAILQ_HEAD_INITIALIZER(list);
	struct node nodes[3] = { { .value = 1 }, { .value = 2 }, { .value = 3 } }, *each;
	for (int i = 0; i < 3; i++)
		TAILQ_INSERT_HEAD(&list, &nodes[i], link);
	TAILQ_FOREACH(each, &list, link)
		printf("%d ", each->value);
	putchar('\n');
	size_t count = 3;
	int target = 30, linear[] = { 10, 20, 30 };
	CHECK(lfind(&target, linear, &count, sizeof *linear, ints) == &linear[2]);
	return check_done();
}
