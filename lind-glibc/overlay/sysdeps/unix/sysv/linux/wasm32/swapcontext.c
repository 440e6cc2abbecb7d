/* swapcontext by the import, Linux/wasm32.  */
#include <errno.h>
#include <lind-context.h>
#include <sysdep.h>

int
__swapcontext (ucontext_t *oucp, const ucontext_t *ucp)
{
  int r = __lind_swapcontext (oucp, ucp);
  if (r != 0)
    return INLINE_SYSCALL_ERROR_RETURN_VALUE (-r);
  return 0;
}
weak_alias (__swapcontext, swapcontext)
