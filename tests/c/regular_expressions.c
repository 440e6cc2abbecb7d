/* POSIX regular expressions. */
#include <regex.h>
#include "check.h"

static void match(const char *pattern, int flags, const char *text)
{
	regex_t r;
	regmatch_t m[4];
	char message[64];
	int error = regcomp(&r, pattern, flags);
	if (error) {
		regerror(error, &r, message, sizeof message);
		printf("%s: %s\n", pattern, message);
		return;
	}
	error = regexec(&r, text, 4, m, 0);
	printf("/%s/ on \"%s\":", pattern, text);
	if (error == REG_NOMATCH)
		printf(" no");
	for (unsigned i = 0; !error && i <= r.re_nsub && i < 4; i++)
		printf(" %d-%d", (int)m[i].rm_so, (int)m[i].rm_eo);
	putchar('\n');
	regfree(&r);
}

int main(void)
{
	match("a*b", 0, "xaaab");
	match("^([a-z]+)=([0-9]*)$", REG_EXTENDED, "key=42");
	match("(a|ab)(c|bcd)(d*)", REG_EXTENDED, "abcd");
	match("\\(x\\)\\1", 0, "axxb");
	match("[[:digit:]]{2,3}", REG_EXTENDED, "a1b22c4444");
	match("HELLO", REG_ICASE, "say hello");
	match("[", 0, "x");
	match("(", REG_EXTENDED, "x");
	match("^$", 0, "");
	match("\\<word\\>", 0, "a word here");
	match("^b", REG_NEWLINE, "a\nb");
	match("x", 0, "abc");
	return check_done();
}
