/* What configure scripts learn about libc: kinds of types, and functions that are there but always fail.
 *
 * @libs -lm
 */
#include <gnu/stubs.h>
#include <fenv.h>
#include <limits.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <ucontext.h>
#include <wchar.h>
#include "check.h"

int main(void)
{
	CHECK((wint_t)-1 > 0 && WEOF == (wint_t)-1);
	CHECK(_Generic((ssize_t)0, int: 0, default: 1));
	CHECK_EQ(sizeof(wchar_t), 4);
	CHECK_EQ(sizeof(off_t), 8);
	CHECK_EQ(sizeof(time_t), 8);
	CHECK_EQ(sizeof(intmax_t), 8);
	CHECK_EQ(fegetround(), FE_TONEAREST);
	ucontext_t here;
#ifdef __stub_getcontext
	CHECK(getcontext(&here) == -1 && errno == ENOSYS);
#else
	CHECK_EQ(getcontext(&here), 0);
#endif
#ifdef __stub_chmod
	CHECK(!"chmod is a stub");
#endif
	return check_done();
}
