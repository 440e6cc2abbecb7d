/* Wide input and output through streams.
 *
 * @env LC_ALL=C.UTF-8
 * @stdin größe 42 €\nzweite Zeile\n
 */
#include <locale.h>
#include <wchar.h>
#include <stdio.h>

int main(void)
{
	wchar_t word[32], line[64];
	int number;
	setlocale(LC_ALL, "");
	if (fwide(stdin, 0) != 0 || wscanf(L"%31ls %d", word, &number) != 2)
		return 1;
	wprintf(L"%ls %d %d\n", word, (int)wcslen(word), number);
	wint_t c;
	while ((c = getwchar()) != L'\n')
		wprintf(L"U+%04X ", (unsigned)c);
	putwchar(L'\n');
	if (!fgetws(line, 64, stdin))
		return 2;
	fputws(line, stdout);
	return fwide(stdout, 0) > 0 ? 0 : 3;
}
