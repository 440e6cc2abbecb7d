/* jmp_buf and the import that fills it, wasm32.  */
#ifndef _WASM32_BITS_SETJMP_H
#define _WASM32_BITS_SETJMP_H 1

#if !defined _SETJMP_H && !defined _PTHREAD_H
# error "Never include <bits/setjmp.h> directly; use <setjmp.h> instead."
#endif

#ifndef _ASM

/* The host keeps the frames; [0] is its name for them, [1] the stack pointer
   at the time of the call.  */
typedef long int __jmp_buf[16];

__BEGIN_DECLS

struct __jmp_buf_tag;

/* Returns twice.  Saves the signal mask too if SAVEMASK is not zero.  */
extern int __sigsetjmp (struct __jmp_buf_tag *__env, int __savemask)
     __THROWNL __asm__ ("__lind_setjmp")
     __attribute__ ((__import_module__ ("lind"), __import_name__ ("setjmp"),
		     __returns_twice__));

__END_DECLS

#endif
#endif
