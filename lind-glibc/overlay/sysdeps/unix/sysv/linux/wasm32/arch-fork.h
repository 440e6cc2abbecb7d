/* fork by the clone import, Linux/wasm32.  */
#ifndef __ARCH_FORK_H
#define __ARCH_FORK_H

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sysdep.h>
#include <lind-clone.h>

static inline pid_t
arch_fork (void *ctid)
{
  const struct __lind_clone_args args =
    {
      .tls = __builtin_wasm_tls_base (),
      .flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
      .ctid = ctid,
    };
  long int r = __wasm_result (__lind_clone (&args));
  if (INTERNAL_SYSCALL_ERROR_P (r))
    return INLINE_SYSCALL_ERROR_RETURN_VALUE (INTERNAL_SYSCALL_ERRNO (r));
  return r;
}

#endif
