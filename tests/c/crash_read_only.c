/* Memory made read-only cannot be written.
 *
 * @status 139
 */
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p[0] = 'r';
	mprotect((void *)p, 4096, PROT_READ);
	printf("%c\n", p[0]);
	fflush(stdout);
	p[0] = 'w';
	puts("after");
	return 0;
}
