/* Memory that was unmapped is gone.
 *
 * @status 139
 */
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
	volatile char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p[4096] = 'x';
	munmap((void *)(p + 4096), 4096);
	p[0] = 'y';
	printf("%c\n", p[0]);
	fflush(stdout);
	printf("%c\n", p[4096]);
	return 0;
}
