/* clone with a function and a stack, Linux/wasm32.  */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <sysdep.h>
#include <lind-clone.h>

/* The host calls this export in the new thread's instance.  The stack and
   thread pointers have to be set before C code runs, hence assembler.  */
__asm__ (".globaltype __stack_pointer, i32\n\t"
	 ".globaltype __tls_base, i32\n\t"
	 ".functype __wasm_thread_run (i32, i32) -> ()\n\t"
	 ".globl __wasm_thread_start\n\t"
	 ".export_name __wasm_thread_start, __wasm_thread_start\n\t"
	 ".type __wasm_thread_start,@function\n"
	 "__wasm_thread_start:\n\t"
	 ".functype __wasm_thread_start (i32, i32, i32, i32) -> ()\n\t"
	 "local.get 2\n\tglobal.set __stack_pointer\n\t"
	 "local.get 3\n\tglobal.set __tls_base\n\t"
	 "local.get 0\n\tlocal.get 1\n\tcall __wasm_thread_run\n\t"
	 "end_function");

void
__attribute__ ((used))
__wasm_thread_run (int (*fn) (void *), void *arg)
{
  INTERNAL_SYSCALL_CALL (exit, fn (arg));
  __builtin_trap ();
}

int
__clone (int (*fn) (void *), void *child_stack, int flags, void *arg, ...)
{
  struct __lind_clone_args args =
    {
      .fn = fn,
      .arg = arg,
      .stack = (void *) ((uintptr_t) child_stack & -16),
      /* Without CLONE_SETTLS the child has its parent's.  */
      .tls = __builtin_wasm_tls_base (),
      .flags = flags,
    };
  if (fn == NULL || child_stack == NULL)
    return INLINE_SYSCALL_ERROR_RETURN_VALUE (EINVAL);

  /* Only the arguments that FLAGS ask for have to be there.  */
  const int with_ctid = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  const int with_tls = CLONE_SETTLS | with_ctid;
  const int with_ptid = CLONE_PARENT_SETTID | CLONE_PIDFD | with_tls;
  va_list ap;
  va_start (ap, arg);
  if (flags & with_ptid)
    args.ptid = va_arg (ap, pid_t *);
  if (flags & with_tls)
    {
      void *tls = va_arg (ap, void *);
      if (flags & CLONE_SETTLS)
	args.tls = tls;
    }
  if (flags & with_ctid)
    args.ctid = va_arg (ap, pid_t *);
  va_end (ap);

  long int r = __wasm_result (__lind_clone (&args));
  if (INTERNAL_SYSCALL_ERROR_P (r))
    return INLINE_SYSCALL_ERROR_RETURN_VALUE (INTERNAL_SYSCALL_ERRNO (r));
  return r;
}
libc_hidden_def (__clone)
weak_alias (__clone, clone)
