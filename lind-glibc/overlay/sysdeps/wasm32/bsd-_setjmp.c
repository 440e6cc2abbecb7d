/* See setjmp.c.  */
#include <setjmp.h>
#undef _setjmp

int
_setjmp (struct __jmp_buf_tag env[1])
{
  return __sigsetjmp (env, 0);
}
libc_hidden_def (_setjmp)
