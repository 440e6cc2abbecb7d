/* Standard input is read line by line, then is at its end for good.
 *
 * @stdin first line\nsecond\tline\n\nlast without newline
 */
#include <unistd.h>
#include "check.h"

int main(void)
{
	char line[128];
	int number = 0;
	while (fgets(line, sizeof line, stdin)) {
		size_t length = strcspn(line, "\n");
		printf("%d: %zu bytes%s\n", ++number, length, line[length] ? "" : ", no newline");
	}
	CHECK(feof(stdin));
	CHECK_EQ(getchar(), EOF);
	CHECK_EQ(read(STDIN_FILENO, line, sizeof line), 0);
	return check_done();
}
