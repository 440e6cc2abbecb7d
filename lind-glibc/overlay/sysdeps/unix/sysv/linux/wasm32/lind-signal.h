/* The frame that the host makes on the stack for a signal handler.  */
#ifndef _LIND_SIGNAL_H
#define _LIND_SIGNAL_H 1

#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

struct __lind_sigframe
{
  void (*handler) (int, siginfo_t *, void *);
  int signo;
  unsigned int flags;		/* sa_flags */
  int more;			/* Another handler runs before this one.  */
  long int host[12];		/* The interrupted call, for rt_sigreturn.  */
  siginfo_t info;
  ucontext_t context;
};

_Static_assert (offsetof (struct __lind_sigframe, info) == 64, "info");
_Static_assert (offsetof (struct __lind_sigframe, context) == 192, "context");
_Static_assert (offsetof (ucontext_t, uc_sigmask) == 36, "uc_sigmask");
_Static_assert (sizeof (struct __lind_sigframe) == 356, "frame");

#endif
