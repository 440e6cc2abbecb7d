/* Linkable names for configure scripts; <setjmp.h> expands calls to the
   import.  A longjmp to what these return from fails: their frame is gone.  */
#include <setjmp.h>
#undef _setjmp
#undef setjmp

int
__libc_sigsetjmp (struct __jmp_buf_tag env[1], int savemask)
{
  return __sigsetjmp (env, savemask);
}

/* In C, __sigsetjmp is the import.  */
__asm__ (".globl __sigsetjmp\n\t"
	 ".type __sigsetjmp,@function\n"
	 "__sigsetjmp:\n\t"
	 ".functype __sigsetjmp (i32, i32) -> (i32)\n\t"
	 ".functype __libc_sigsetjmp (i32, i32) -> (i32)\n\t"
	 "local.get 0\n\tlocal.get 1\n\tcall __libc_sigsetjmp\n\t"
	 "end_function");
