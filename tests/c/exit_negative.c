/* A negative status wraps.
 *
 * @status 255
 */
#include <stdlib.h>

int main(void)
{
	exit(-1);
}
