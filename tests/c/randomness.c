/* Random bytes differ, AT_RANDOM and /dev/urandom work. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	unsigned char a[64] = "", b[64] = "", zero[64] = "";
	CHECK_EQ(getrandom(a, 64, 0), 64);
	CHECK_EQ(getrandom(b, 64, GRND_NONBLOCK), 64);
	CHECK(memcmp(a, b, 64) != 0);
	CHECK(memcmp(a, zero, 64) != 0);
	CHECK_EQ(getrandom(a, 0, 0), 0);
	CHECK_ERRNO(getrandom(a, 1, 0x1000), EINVAL);
	CHECK_OK(getentropy(a, 64));
	CHECK_ERRNO(getentropy(a, 257), EIO);
	
	
	CHECK(getauxval(AT_RANDOM) != 0);
	CHECK_EQ(getauxval(AT_PAGESZ), 4096);
	CHECK_EQ(getauxval(AT_SECURE), 0);
	int fd = open("/dev/urandom", O_RDONLY);
	CHECK_EQ(read(fd, b, 64), 64);
	CHECK(memcmp(b, zero, 64) != 0);
	srand(1);
	printf("%d\n", rand());
	srandom(42);
	printf("%ld\n", random());
	srand48(7);
	printf("%ld\n", lrand48());
	printf("%.15f\n", drand48());
	return check_done();
}
