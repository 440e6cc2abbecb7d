/* The C and C.UTF-8 locales: conversion, classification, wide streams.
 *
 * @env LC_ALL=C.UTF-8
 */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>
#include <wctype.h>
#include "check.h"

int main(void)
{
	wchar_t wide[64];
	char narrow[64];
	mbstate_t state = { 0 };

	CHECK_STR(setlocale(LC_ALL, NULL), "C");
	CHECK_STR(nl_langinfo(CODESET), "ANSI_X3.4-1968");
	CHECK_EQ(MB_CUR_MAX, 1);
	CHECK(mbstowcs(wide, "\xc3\xa4", 64) == (size_t)-1);
	CHECK(setlocale(LC_ALL, "no_SUCH") == NULL);
	CHECK_STR(setlocale(LC_ALL, ""), "C.UTF-8");
	CHECK_STR(nl_langinfo(CODESET), "UTF-8");
	CHECK_EQ(MB_CUR_MAX, 6);
	CHECK_EQ(mbstowcs(wide, "aä€😀", 64), 4);
	CHECK(wide[0] == 'a' && wide[1] == 0xe4 && wide[2] == 0x20ac && wide[3] == 0x1f600 && wide[4] == 0);
	CHECK_EQ(wcstombs(narrow, wide, 64), 10);
	CHECK_STR(narrow, "aä€😀");
	CHECK_EQ(mblen("€", 3), 3);
	CHECK_EQ(mbrtowc(wide, "\xe2\x82", 2, &state), (size_t)-2);
	CHECK_EQ(mbrtowc(wide, "\xac", 1, &state), 1);
	CHECK_EQ(wide[0], 0x20ac);
	memset(&state, 0, sizeof state);
	errno = 0;
	CHECK_EQ(mbrtowc(wide, "\xff", 1, &state), (size_t)-1);
	CHECK_EQ(errno, EILSEQ);
	CHECK(iswalpha(0xe4) && iswupper(0xc4) && towupper(0xe4) == 0xc4 && !iswalpha(0x20ac));
	CHECK_EQ(wcwidth(0x4e00), 2);
	CHECK_EQ(wcslen(L"wide"), 4);
	CHECK(wcscmp(L"a", L"b") < 0 && wcsstr(L"find it", L"it") != NULL);
	CHECK_EQ(wcstol(L"77", NULL, 8), 63);
	CHECK_EQ(swprintf(wide, 64, L"%d %ls %s", 5, L"wíde", "närrow"), 13);
	printf("%ls|%lc|%5s|%.2ls\n", wide, (wint_t)0x20ac, "ä", L"äöü");
	CHECK(strcoll("a", "b") < 0);
	CHECK_EQ(localeconv()->decimal_point[0], '.');
	CHECK_STR(localeconv()->thousands_sep, "");
	locale_t c = newlocale(LC_ALL_MASK, "C", NULL);
	CHECK(c != NULL);
	uselocale(c);
	CHECK_EQ(MB_CUR_MAX, 1);
	uselocale(LC_GLOBAL_LOCALE);
	freelocale(c);
	return check_done();
}
