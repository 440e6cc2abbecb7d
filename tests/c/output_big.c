/* Megabytes through standard output arrive complete and in order. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	uint32_t state = 1;
	for (int i = 0; i < 100000; i++) {
		state = state * 1103515245u + 12345u;
		printf("%d %08x\n", i, state);
	}
	fflush(stdout);
	static char block[1 << 20];
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = i % 64 == 63 ? '\n' : (char)('0' + i % 43);
	for (size_t done = 0; done < sizeof block;) {
		ssize_t n = write(1, block + done, sizeof block - done);
		if (n <= 0)
			abort();
		done += (size_t)n;
	}
	struct iovec parts[3] = { { "first ", 6 }, { "", 0 }, { "second\n", 7 } };
	CHECK_EQ(writev(1, parts, 3), 13);
	return check_done();
}
