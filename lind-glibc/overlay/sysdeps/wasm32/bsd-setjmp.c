/* See setjmp.c.  */
#include <setjmp.h>
#undef setjmp

int
setjmp (jmp_buf env)
{
  return __sigsetjmp (env, 1);
}
