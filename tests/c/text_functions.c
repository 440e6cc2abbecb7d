/* string.h, ctype.h and what GNU adds, at odd alignments and lengths.
 *
 * @opt -O0 -O2
 * @cflags -fno-builtin -w
 */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include "check.h"

int main(void)
{
	static char a[300], b[300];
	for (int offset = 0; offset < 17; offset++)
		for (int length = 0; length < 130; length += 1 + length / 7) {
			for (int i = 0; i < 300; i++)
				a[i] = (char)(i * 7 + 1), b[i] = 'z';
			memcpy(b + offset, a + 3, (size_t)length);
			CHECK(memcmp(b + offset, a + 3, (size_t)length) == 0 && b[offset + length] == 'z');
			memmove(b + offset + 5, b + offset, (size_t)length);
			CHECK(memcmp(b + offset + 5, a + 3, (size_t)length) == 0);
			memset(b + offset, 'q', (size_t)length);
			b[offset + length] = 0;
			CHECK_EQ(strlen(b + offset), length);
			CHECK_EQ(strnlen(b + offset, 40), length < 40 ? length : 40);
			CHECK(memchr(b + offset, 0, 300 - 17) == b + offset + length);
			CHECK(strchr(b + offset, 'q') == (length ? b + offset : NULL));
		}
	CHECK(strcmp("abc", "abd") < 0 && strcmp("b", "a") > 0 && strcmp("\xff", "a") > 0);
	CHECK(strncmp("abcX", "abcY", 3) == 0 && strcasecmp("HeLLo", "hEllO") == 0 && strncasecmp("ABx", "aby", 2) == 0);
	strcpy(a, "one");
	CHECK_STR(strcat(a, " two"), "one two");
	CHECK_STR(strncat(a, " three", 3), "one two th");
	memset(b, 'x', 10);
	strncpy(b, "ab", 5);
	CHECK(memcmp(b, "ab\0\0\0xx", 7) == 0);
	CHECK_STR(stpcpy(a, "end") - 3, "end");
	CHECK_STR(strstr("haystack with needle inside", "needle"), "needle inside");
	CHECK(strstr("abc", "abcd") == NULL);
	CHECK_STR(strcasestr("A Big Word", "big"), "Big Word");
	CHECK_STR(strrchr("a/b/c", '/'), "/c");
	CHECK_STR(strpbrk("key=value", "=:"), "=value");
	CHECK_EQ(strspn("aabbc", "ab"), 4);
	CHECK_EQ(strcspn("hello, world", ", "), 5);
	CHECK_STR(strchrnul("abc", 'x'), "");
	CHECK(memmem("abcdef", 6, "cd", 2) != NULL && memrchr("abab", 'a', 4) != NULL);
	char words[] = "  split these,words  ", *save, *word = strtok_r(words, " ,", &save);
	for (; word; word = strtok_r(NULL, " ,", &save))
		printf("[%s]", word);
	char list[] = "a::b", *rest = list;
	while ((word = strsep(&rest, ":")))
		printf("<%s>", word);
	putchar('\n');
	char *copy = strndup("duplicate", 3);
	CHECK_STR(copy, "dup");
	free(copy);
	CHECK(strverscmp("file9", "file10") < 0);
	CHECK_STR(basename("/usr/lib/x.so"), "x.so");
	for (int c = 0; c < 256; c++)
		printf("%x", (!!isalpha(c)) | !!isdigit(c) << 1 | !!isspace(c) << 2 | !!ispunct(c) << 3);
	printf("\n%c%c%c\n", toupper('q'), tolower('Q'), toupper('1'));
	CHECK_EQ(ffs(0x40), 7);
	return check_done();
}
