/* getcontext by the import, Linux/wasm32.  The host saves this function's frame
   with those of its callers.  */
#include <errno.h>
#include <lind-context.h>
#include <sysdep.h>

int
__getcontext (ucontext_t *ucp)
{
  int r = __lind_getcontext (ucp);
  if (r != 0)
    return INLINE_SYSCALL_ERROR_RETURN_VALUE (-r);
  return 0;
}
weak_alias (__getcontext, getcontext)
