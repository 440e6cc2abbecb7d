/* Writing near a null pointer, as to a field of an absent structure, is SIGSEGV.
 *
 * @status 139
 */
#include <stdio.h>

struct record { char space[40000]; int field; };
static struct record *volatile nowhere;

int main(void)
{
	puts("before");
	fflush(stdout);
	nowhere->field = 1;
	puts("after");
	return 0;
}
