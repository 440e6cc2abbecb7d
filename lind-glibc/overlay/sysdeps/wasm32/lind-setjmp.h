/* The host's side of longjmp.  */
#ifndef _LIND_SETJMP_H
#define _LIND_SETJMP_H 1

/* Return from the setjmp that filled ENV once more, with VAL or 1 for 0, and
   with the signal mask that setjmp saved.  Kills the process if the frame is
   gone.  Does not return.  */
extern int __lind_longjmp (void *__env, int __val)
  __attribute__ ((__import_module__ ("lind"), __import_name__ ("longjmp")));

#endif
