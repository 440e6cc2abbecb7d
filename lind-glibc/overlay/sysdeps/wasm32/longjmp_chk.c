/* The host checks every longjmp.  */
#define __libc_siglongjmp __longjmp_chk
#include <longjmp.c>
