/* For variadic functions that read an argument which need not be there.

   A variadic WebAssembly function gets a pointer to its variable arguments;
   if there are none, lind-cc's va_start makes one to zeros of a null pointer.
   The first 64 KiB of memory are never mapped, so a smaller value is no such
   pointer: it is the argument itself, passed by a call through a pointer to a
   function that is not variadic (which has the same type in WebAssembly).  */
#include <stdarg.h>

#undef va_arg
#define va_arg(ap, type)						\
  ((__UINTPTR_TYPE__) (ap) < 0x10000						\
   ? ({ type __val = (type) (__UINTPTR_TYPE__) (ap); (ap) = 0; __val; })	\
   : __builtin_va_arg (ap, type))
