/* futex errors: addresses, operations, times, values. */
#include "futex.h"

static word words[4];

int main(void)
{
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 }, zero = { 0, 0 };
	CHECK_ERRNO(futex((char *)words + 1, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex((char *)words + 2, FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex((void *)16, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(NULL, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(words, 77, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(words, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &zero, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, &negative, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(words, FUTEX_WAIT, 1, &zero, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, &zero, NULL, 0), ETIMEDOUT);
	CHECK_ERRNO(futex(words, FUTEX_WAIT, 0, (struct timespec *)16, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex2(words, FUTEX_CMP_REQUEUE, 1, 1, words + 1, 9), EAGAIN);
	CHECK_ERRNO(futex2(words, FUTEX_CMP_REQUEUE, 1, (uint32_t)-1, words + 1, 0), EINVAL);
	CHECK_ERRNO(futex2(words, FUTEX_REQUEUE, 1, 1, (char *)words + 3, 0), EINVAL);
	CHECK_ERRNO(futex2(words, FUTEX_REQUEUE, 1, 1, (void *)16, 0), EFAULT);
	CHECK_ERRNO(futex2(words, FUTEX_WAKE_OP, 1, 1, words + 1, (uint32_t)FUTEX_OP(7, 0, 0, 0)), ENOSYS);
	CHECK_ERRNO(futex(words, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
	words[0] = 0x3ffffff0;
	CHECK_ERRNO(futex(words, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
	/* Memory that may be read only: waiting is allowed, a wake-up finds nobody. */
	word *only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_ERRNO(futex(only, FUTEX_WAIT_PRIVATE, 0, &zero, NULL, 0), ETIMEDOUT);
	CHECK_EQ(futex(only, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	return check_done();
}
