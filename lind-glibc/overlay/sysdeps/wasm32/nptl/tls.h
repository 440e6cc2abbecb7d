/* Thread-local data, wasm32.

   | struct pthread | tcbhead_t, padding | TLS block ... |
                    ^ TCB                ^ __tls_base (WebAssembly global)

   __tls_base is the thread pointer of the WebAssembly tool conventions, one
   per instance and hence one per thread.  The distance between the TCB and it
   is a constant that the linker knows.  */
#ifndef _TLS_H
#define _TLS_H 1

#include <dl-sysdep.h>

#ifndef __ASSEMBLER__
# include <stdbool.h>
# include <stddef.h>
# include <stdint.h>
# include <dl-dtv.h>

typedef struct
{
  dtv_t *dtv;
  void *__private;
} __attribute__ ((aligned (64))) tcbhead_t;

# define TLS_MULTIPLE_THREADS_IN_TCB 1

# include <sysdep.h>

# define TLS_DTV_AT_TP	1
# define TLS_TCB_AT_TP	0

# include <nptl/descr.h>

# define TLS_INIT_TCB_SIZE	sizeof (tcbhead_t)
# define TLS_INIT_TCB_ALIGN	64
# define TLS_TCB_SIZE		sizeof (tcbhead_t)
# define TLS_TCB_ALIGN		64
# define TLS_PRE_TCB_SIZE	sizeof (struct pthread)

# define __WASM_TP ((char *) __builtin_wasm_tls_base ())

/* From the TCB to the TLS block, as __libc_setup_tls computes it.  */
# define __WASM_TLS_OFFSET \
  (__builtin_wasm_tls_align () > TLS_INIT_TCB_SIZE			\
   ? __builtin_wasm_tls_align () : TLS_INIT_TCB_SIZE)

# define __WASM_TCB ((tcbhead_t *) (__WASM_TP - __WASM_TLS_OFFSET))

# define INSTALL_DTV(tcbp, dtvp) (((tcbhead_t *) (tcbp))->dtv = (dtvp) + 1)
# define INSTALL_NEW_DTV(dtv_) (THREAD_DTV () = (dtv_))
# define GET_DTV(tcbp) (((tcbhead_t *) (tcbp))->dtv)

static inline void
__wasm_set_tls_base (void *__base)
{
  __asm__ volatile (".globaltype __tls_base, i32\n\t"
		    "local.get %0\n\tglobal.set __tls_base"
		    : : "r" (__base) : "memory");
}

# define TLS_INIT_TP(tcbp) \
  ({ __wasm_set_tls_base ((char *) (tcbp) + __WASM_TLS_OFFSET);		\
     (const char *) NULL; })

# define TLS_DEFINE_INIT_TP(tp, pd) \
  void *tp = (char *) (pd) + TLS_PRE_TCB_SIZE + __WASM_TLS_OFFSET

# define THREAD_DTV() (__WASM_TCB->dtv)

# define THREAD_SELF \
  ((struct pthread *) ((char *) __WASM_TCB - TLS_PRE_TCB_SIZE))

# define DB_THREAD_SELF \
  CONST_THREAD_AREA (32, sizeof (struct pthread))

# include <tcb-access.h>

# define THREAD_GSCOPE_FLAG_UNUSED 0
# define THREAD_GSCOPE_FLAG_USED   1
# define THREAD_GSCOPE_FLAG_WAIT   2
# define THREAD_GSCOPE_RESET_FLAG() \
  do									\
    {									\
      int __res = atomic_exchange_rel (&THREAD_SELF->header.gscope_flag,\
				       THREAD_GSCOPE_FLAG_UNUSED);	\
      if (__res == THREAD_GSCOPE_FLAG_WAIT)				\
	lll_futex_wake (&THREAD_SELF->header.gscope_flag, 1,		\
			LLL_PRIVATE);					\
    }									\
  while (0)
# define THREAD_GSCOPE_SET_FLAG() \
  do									\
    {									\
      THREAD_SELF->header.gscope_flag = THREAD_GSCOPE_FLAG_USED;	\
      atomic_write_barrier ();						\
    }									\
  while (0)

#endif /* __ASSEMBLER__ */
#endif /* tls.h */
