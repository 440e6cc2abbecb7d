/* Bytes of standard input arrive unchanged, zero bytes too.
 *
 * @stdin a\0b\\c\n\0
 */
#include <unistd.h>
#include "check.h"

int main(void)
{
	unsigned char bytes[32];
	ssize_t total = 0, n;
	while ((n = read(0, bytes + total, sizeof bytes - (size_t)total)) > 0)
		total += n;
	CHECK_EQ(total, 7);
	for (ssize_t i = 0; i < total; i++)
		printf("%02x ", bytes[i]);
	putchar('\n');
	return check_done();
}
