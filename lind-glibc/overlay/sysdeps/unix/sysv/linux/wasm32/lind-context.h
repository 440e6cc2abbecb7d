/* The imports for contexts.  */
#ifndef _LIND_CONTEXT_H
#define _LIND_CONTEXT_H 1

#include <assert.h>
#include <stddef.h>
#include <ucontext.h>

/* The host keeps the frames; the registers [1] and [2] of UCP are its name for
   them.  It writes uc_sigmask when a context is saved, and takes the mask from
   there when it goes on.  All give 0 or -errno; the first two, 0 whenever the
   context goes on.  */
extern int __lind_getcontext (ucontext_t *__ucp)
  __attribute__ ((__import_module__ ("lind"), __import_name__ ("getcontext"),
		  __returns_twice__));
extern int __lind_swapcontext (ucontext_t *__oucp, const ucontext_t *__ucp)
  __attribute__ ((__import_module__ ("lind"), __import_name__ ("swapcontext"),
		  __returns_twice__));
/* The context that calls does not go on any more if ENDED is not 0.  */
extern int __lind_setcontext (const ucontext_t *__ucp, int __ended)
  __attribute__ ((__import_module__ ("lind"), __import_name__ ("setcontext")));

/* More arguments are not passed on.  */
#define CONTEXT_ARGS 32

/* What a new context does.  It is on the context's stack, whose pointer is set
   to it.  */
struct __lind_context
{
  void (*func) (void);
  const ucontext_t *link;
  int argc;
  long int args[CONTEXT_ARGS];	/* Eight if there are no more.  */
};

/* UCP begins with __lind_context_start (CONTEXT).  */
extern int __lind_makecontext (ucontext_t *__ucp, struct __lind_context *__context)
  __attribute__ ((__import_module__ ("lind"), __import_name__ ("makecontext")));

_Static_assert (offsetof (ucontext_t, uc_mcontext) + 4 == 24
		&& offsetof (ucontext_t, uc_sigmask) == 36, "ucontext_t");

#endif
