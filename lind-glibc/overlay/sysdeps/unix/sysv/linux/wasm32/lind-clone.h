/* The import that makes processes and threads.  */
#ifndef _LIND_CLONE_H
#define _LIND_CLONE_H 1

#include <sys/types.h>
#include <wasm-syscall.h>

/* With a STACK, the new thread calls FN (ARG) with TLS as its thread pointer.
   Without one it returns from the import as well, as in clone (2): in a copy
   of the memory, or in the same with CLONE_VM.  */
struct __lind_clone_args
{
  int (*fn) (void *);
  void *arg;
  void *stack;
  void *tls;
  int flags;
  pid_t *ptid;
  pid_t *ctid;
};

/* The id of the new thread or process, or -errno; 0 in the child.  The result
   goes through __wasm_result.  */
extern long int __lind_clone (const struct __lind_clone_args *)
  __attribute__ ((__import_module__ ("lind"), __import_name__ ("clone")));

#endif
