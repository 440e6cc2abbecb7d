/* longjmp: the host restores the signal mask as well.  */
#include <setjmpP.h>

void
__libc_siglongjmp (sigjmp_buf env, int val)
{
  _longjmp_unwind (env, val);
  __longjmp (env[0].__jmpbuf, val);
}

#ifndef __libc_siglongjmp
strong_alias (__libc_siglongjmp, __libc_longjmp)
weak_alias (__libc_siglongjmp, _longjmp)
weak_alias (__libc_siglongjmp, longjmp)
weak_alias (__libc_siglongjmp, siglongjmp)
#endif
