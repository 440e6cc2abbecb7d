/* vfork by the clone import, Linux/wasm32.  The host copies the frames, so
   the child may return from here.  */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sysdep.h>
#include <unistd.h>
#include <lind-clone.h>

__pid_t
__vfork (void)
{
  const struct __lind_clone_args args =
    {
      .tls = __builtin_wasm_tls_base (),
      .flags = CLONE_VM | CLONE_VFORK | SIGCHLD,
    };
  long int r = __wasm_result (__lind_clone (&args));
  if (INTERNAL_SYSCALL_ERROR_P (r))
    return INLINE_SYSCALL_ERROR_RETURN_VALUE (INTERNAL_SYSCALL_ERRNO (r));
  return r;
}
libc_hidden_def (__vfork)
weak_alias (__vfork, vfork)
