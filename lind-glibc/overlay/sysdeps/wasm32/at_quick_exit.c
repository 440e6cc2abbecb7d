/* Register FUNC with a function of the type that will be used to call it.  */
#include <stdlib.h>
#include <dso_handle.h>
#include <stdlib/exit.h>

static void
call_func (void *func)
{
  ((void (*) (void)) func) ();
}

int
attribute_hidden
at_quick_exit (void (*func) (void))
{
  return __internal_atexit (call_func, (void *) func, __dso_handle,
			    &__quick_exit_funcs);
}
