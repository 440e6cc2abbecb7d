/* memset past the end of a mapping is SIGSEGV, not less and not more.
 *
 * @status 139
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
	char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(p + 32768, 32768);
	volatile size_t size = 32768;
	memset(p, 'a', size);
	printf("%c%c\n", p[0], p[32767]);
	fflush(stdout);
	size = 40000;
	memset(p, 'b', size);
	puts("after");
	return 0;
}
