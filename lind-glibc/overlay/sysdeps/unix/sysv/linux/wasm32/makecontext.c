/* makecontext, Linux/wasm32.  */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <lind-context.h>

/* The host calls this export when the context is entered.  The engine drops the
   arguments that the function has no parameters for.  */
void
__attribute__ ((used, export_name ("__lind_context_start")))
__lind_context_start (struct __lind_context *context)
{
  typedef long int l;
  typedef void few (l, l, l, l, l, l, l, l);
  typedef void many (l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l,
		     l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l);
  const l *a = context->args;

  if (context->argc == 0)
    context->func ();
  else if (context->argc <= 8)
    ((few *) context->func) (a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
  else
    ((many *) context->func) (a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7],
			      a[8], a[9], a[10], a[11], a[12], a[13], a[14],
			      a[15], a[16], a[17], a[18], a[19], a[20], a[21],
			      a[22], a[23], a[24], a[25], a[26], a[27], a[28],
			      a[29], a[30], a[31]);

  /* As other ports do it.  */
  if (context->link == NULL)
    exit (0);
  __lind_setcontext (context->link, 1);
  exit (-1);
}

void
__makecontext (ucontext_t *ucp, void (*func) (void), int argc, ...)
{
  uintptr_t top = (uintptr_t) ucp->uc_stack.ss_sp + ucp->uc_stack.ss_size;
  int size = argc < 0 ? 0 : argc;
  struct __lind_context *context;
  va_list ap;

  if (size > CONTEXT_ARGS)
    size = CONTEXT_ARGS;
  context = (struct __lind_context *)
    ((top - offsetof (struct __lind_context, args[size <= 8 ? 8 : CONTEXT_ARGS]))
     & -16);
  context->func = func;
  context->link = ucp->uc_link;
  context->argc = size;
  va_start (ap, argc);
  for (int i = 0; i < (size <= 8 ? 8 : CONTEXT_ARGS); i++)
    context->args[i] = i < size ? va_arg (ap, long int) : 0;
  va_end (ap);
  /* If it fails, so does every switch to UCP.  */
  __lind_makecontext (ucp, context);
}
weak_alias (__makecontext, makecontext)
