/* iconv between the usual character sets. */
#include <iconv.h>
#include <stdlib.h>
#include "check.h"

static void convert(const char *from, const char *to, const char *text, size_t length)
{
	iconv_t cd = iconv_open(to, from);
	if (cd == (iconv_t)-1) {
		printf("%s -> %s: cannot open: %s\n", from, to, strerrorname_np(errno));
		check_failures++;
		return;
	}
	char buffer[128], *in = (char *)text, *out = buffer;
	size_t left = sizeof buffer;
	errno = 0;
	size_t result = iconv(cd, &in, &length, &out, &left);
	printf("%s -> %s: %zd %s, %zu left:", from, to, (ssize_t)result, errno ? strerrorname_np(errno) : "-", length);
	for (char *p = buffer; p < out; p++)
		printf(" %02x", (unsigned char)*p);
	putchar('\n');
	iconv_close(cd);
}

int main(void)
{
	const char utf8[] = "Grüße €";
	convert("UTF-8", "UTF-16LE", utf8, 10);
	convert("UTF-8", "UTF-16BE", "a😀", 5);
	convert("UTF-8", "UTF-32LE", "a€", 4);
	convert("UTF-8", "UCS-4BE", "a€", 4);
	convert("UTF-8", "ISO-8859-15", utf8, 11);
	convert("UTF-8", "ISO-8859-1", "Grüße", 7);
	convert("UTF-8", "ISO-8859-1", "x€", 4);
	convert("UTF-8", "ISO-8859-1//TRANSLIT", "x€", 4);
	convert("UTF-8", "ISO-8859-1//IGNORE", "x€y", 5);
	convert("UTF-8", "WINDOWS-1252", "€…", 6);
	convert("CP1251", "UTF-8", "\xcf\xf0\xe8\xe2\xe5\xf2", 6);
	convert("ISO-8859-2", "UTF-8", "\xe8\xb9", 2);
	convert("ISO-8859-7", "UTF-8", "\xe1\xe2", 2);
	convert("UTF-8", "ASCII", "plain", 5);
	convert("ASCII", "UTF-8", "\x80", 1);
	convert("UTF-8", "UTF-16", "\xc3", 1);
	convert("UTF-8", "UTF-16", "\xff", 1);
	CHECK(iconv_open("NO-SUCH-SET", "UTF-8") == (iconv_t)-1 && errno == EINVAL);
	return check_done();
}
