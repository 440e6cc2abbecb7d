/* Broken-down time, time zones by rule, formatting and parsing; beyond 2038 too.
 *
 * @env TZ=CET-1CEST,M3.5.0,M10.5.0/3
 */
#include <stdlib.h>
#include <time.h>
#include "check.h"

static void show(const char *title, const struct tm *t)
{
	char text[128];
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %b %j %U %W %V %Z %z", t);
	printf("%s: %s dst %d\n", title, text, t->tm_isdst);
}

int main(void)
{
	static const time_t moments[] = { 0, 1, 86399, 951782400, 1709164800, 1711846799, 1711846800, 2147483647, 2147483648LL, 4102444800LL, -1, -2208988800LL };
	char text[64];
	struct tm tm;

	for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++) {
		snprintf(text, sizeof text, "%lld utc", (long long)moments[i]);
		show(text, gmtime(&moments[i]));
		CHECK(gmtime_r(&moments[i], &tm) == &tm);
		CHECK(timegm(&tm) == moments[i]);
		snprintf(text, sizeof text, "%lld local", (long long)moments[i]);
		show(text, localtime_r(&moments[i], &tm));
		CHECK(mktime(&tm) == moments[i]);
	}
	memset(&tm, 0, sizeof tm);
	tm.tm_year = 124;
	tm.tm_mon = 13;
	tm.tm_mday = 35;
	tm.tm_hour = -5;
	tm.tm_isdst = -1;
	printf("%lld\n", (long long)mktime(&tm));
	show("normalised", &tm);
	memset(&tm, 0, sizeof tm);
	CHECK_STR(strptime("2031-07-09 11:22:33 rest", "%Y-%m-%d %H:%M:%S", &tm), " rest");
	printf("%d %d %d %d\n", tm.tm_year, tm.tm_mon, tm.tm_wday, tm.tm_yday);
	CHECK(strptime("nonsense", "%Y", &tm) == NULL);
	printf("%s", asctime(gmtime(&moments[4])));
	printf("%s", ctime(&moments[5]));
	CHECK_EQ((long long)difftime(2147483648LL, -1), 2147483649LL);
	setenv("TZ", "EST5EDT", 1);
	tzset();
	printf("%s %s %ld\n", tzname[0], tzname[1], timezone);
	setenv("TZ", "UTC0", 1);
	tzset();
	show("utc", localtime(&moments[4]));
	return check_done();
}
