/* Every byte of every 8-bit character set that iconv has, to UTF-8 and back. */
#include <iconv.h>
#include "check.h"

static const char *const sets[] = {
	"ISO-8859-1", "ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8",
	"ISO-8859-9", "ISO-8859-10", "ISO-8859-11", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "ISO-8859-16", "CP1250",
	"CP1251", "CP1252", "CP1253", "CP1254", "CP1255", "CP1256", "CP1257", "CP1258", "KOI8-R", "KOI8-U", "CP437", "CP850",
	"CP852", "CP855", "CP858", "CP866", "MACINTOSH", "LATIN1", "LATIN-9", "US-ASCII",
};

static size_t convert(const char *to, const char *from, char *in, size_t length, char *out, size_t room)
{
	iconv_t cd = iconv_open(to, from);
	if (cd == (iconv_t)-1)
		return -1;
	size_t left = room, result = iconv(cd, &in, &length, &out, &left);
	if (result != (size_t)-1)
		result = iconv(cd, NULL, NULL, &out, &left);
	iconv_close(cd);
	return result == (size_t)-1 ? result : room - left;
}

int main(void)
{
	for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++) {
		unsigned known = 0, sum = 0, same = 0;
		for (int byte = 0; byte < 256; byte++) {
			char in[1] = { byte }, utf8[8], back[8];
			size_t length = convert("UTF-8", sets[i], in, 1, utf8, sizeof utf8);
			if (length == (size_t)-1)
				continue;
			known++;
			for (size_t k = 0; k < length; k++)
				sum = sum * 31 + (unsigned char)utf8[k];
			same += convert(sets[i], "UTF-8", utf8, length, back, sizeof back) == 1 && *back == *in;
		}
		printf("%s: %u characters, %u come back, sum %08x\n", sets[i], known, same, sum);
	}

	static const char *const unicode[] = { "UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "UTF-32BE",
		"UTF-7", "UCS-2LE", "UCS-2BE", "UCS-4LE", "UCS-4BE", "UNICODE", "WCHAR_T" };
	for (unsigned i = 0; i < sizeof unicode / sizeof *unicode; i++) {
		char text[] = "A\xc3\xbc\xe2\x82\xac+", out[64], back[64];
		size_t length = convert(unicode[i], "UTF-8", text, sizeof text - 1, out, sizeof out);
		printf("%s:", unicode[i]);
		for (size_t k = 0; k < length && length != (size_t)-1; k++)
			printf(" %02x", (unsigned char)out[k]);
		CHECK_EQ(convert("UTF-8", unicode[i], out, length, back, sizeof back), sizeof text - 1);
		CHECK(memcmp(text, back, sizeof text - 1) == 0);
		putchar('\n');
	}
	CHECK(iconv_open("UTF-8", "NO-SUCH-SET") == (iconv_t)-1 && errno == EINVAL);
	return check_done();
}
