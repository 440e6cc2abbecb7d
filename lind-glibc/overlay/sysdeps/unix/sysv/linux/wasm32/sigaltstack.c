/* sigaltstack, Linux/wasm32.  Other kernels read the stack pointer from a
   register, to know whether the program is on the alternate stack.  */
#include <signal.h>
#include <sysdep.h>

int
__sigaltstack (const stack_t *ss, stack_t *oss)
{
  char here;
  return INLINE_SYSCALL (sigaltstack, 3, ss, oss, &here);
}
libc_hidden_def (__sigaltstack)
weak_alias (__sigaltstack, sigaltstack)
