#include <setjmp.h>
#include <lind-setjmp.h>

void
__longjmp (__jmp_buf env, int val)
{
  __lind_longjmp (env, val);
  __builtin_trap ();
}
