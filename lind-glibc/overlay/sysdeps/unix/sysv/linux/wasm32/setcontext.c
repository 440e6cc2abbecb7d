/* setcontext by the import, Linux/wasm32.  */
#include <errno.h>
#include <lind-context.h>
#include <sysdep.h>

int
__setcontext (const ucontext_t *ucp)
{
  int r = __lind_setcontext (ucp, 0);
  return INLINE_SYSCALL_ERROR_RETURN_VALUE (-r);
}
weak_alias (__setcontext, setcontext)
