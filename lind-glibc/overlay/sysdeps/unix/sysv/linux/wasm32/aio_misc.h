/* clang expands these in line only when it has to, and nothing defines them.  */
#ifndef _WASM32_AIO_MISC_H
#define _WASM32_AIO_MISC_H 1

#include <pthread.h>

extern inline void __aio_start_notify_thread (void)
  __attribute__ ((__always_inline__));
extern inline int __aio_create_helper_thread (pthread_t *,
					      void *(*) (void *), void *)
  __attribute__ ((__always_inline__));

#endif
#include_next <aio_misc.h>
