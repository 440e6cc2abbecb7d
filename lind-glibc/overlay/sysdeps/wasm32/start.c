/* crt1.o: build the initial process stack image, then __libc_start_main.  */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>

extern int __libc_start_main (int (*main) (int, char **, char **), int argc,
			      char **argv, int (*init) (int, char **, char **),
			      void (*fini) (void), void (*rtld_fini) (void),
			      void *stack_end) __attribute__ ((noreturn));

/* Host: bytes needed for { argc, argv.., 0, envp.., 0, auxv.., AT_NULL,
   strings }, then write it at PTR.  The auxiliary vector must end with four
   spare entries (AT_IGNORE) for AT_PHDR, AT_PHNUM, AT_PHENT, AT_ENTRY.  */
extern size_t __wasm_startup_size (void)
  __attribute__ ((import_module ("lind"), import_name ("startup_size")));
extern void __wasm_startup_copy (void *)
  __attribute__ ((import_module ("lind"), import_name ("startup_copy")));

extern void __wasm_call_ctors (void);

int __wasm_argc;
char **__wasm_argv;
extern int __main_void (void);

static int
call_main (int argc, char **argv, char **envp)
{
  __wasm_argc = argc;
  __wasm_argv = argv;
  return __main_void ();
}

/* csu/libc-start.c walks the ELF arrays.  The one element of __init_array runs
   the linker's __wasm_call_ctors; destructors are registered by constructors
   (clang does that), so the other arrays are empty.  */
__attribute__ ((used)) void
__wasm_run_ctors (int argc, char **argv, char **envp)
{
  __wasm_call_ctors ();
}

__asm__ (".functype __wasm_run_ctors (i32, i32, i32) -> ()\n"
	 ".section .data.__init_array_start,\"\",@\n"
	 ".p2align 2\n"
	 ".globl __init_array_start\n"
	 ".type __init_array_start,@object\n"
	 "__init_array_start:\n"
	 ".int32 __wasm_run_ctors\n"
	 ".size __init_array_start, 4\n"
	 ".globl __init_array_end\n"
	 ".type __init_array_end,@object\n"
	 "__init_array_end:\n"
	 ".size __init_array_end, 0\n");

#define EMPTY_ARRAY(x) \
  void (*const x##_start[0]) (void) = {}; \
  extern __typeof (x##_start) x##_end __attribute__ ((alias (#x "_start")));
EMPTY_ARRAY (__preinit_array)
EMPTY_ARRAY (__fini_array)

static ElfW(Phdr) phdr;

/* elf/dl-support.c wants the ELF header when there is no AT_PHDR.  */
const ElfW(Ehdr) __ehdr_start = { .e_phentsize = sizeof (ElfW(Phdr)) };

void
__attribute__ ((export_name ("_start")))
_start (void)
{
  size_t n = __wasm_startup_size ();
  uintptr_t *sp = __builtin_alloca ((n + 15) & -16);
  __wasm_startup_copy (sp);

  int argc = sp[0];
  char **argv = (char **) &sp[1];
  uintptr_t *p = &sp[1 + argc + 1];
  while (*p++ != 0)
    ;

  /* The linker's own TLS block of the main thread serves as the
     initialization image of every thread.  */
  phdr.p_type = PT_TLS;
  phdr.p_vaddr = (uintptr_t) __builtin_wasm_tls_base ();
  phdr.p_filesz = phdr.p_memsz = __builtin_wasm_tls_size ();
  phdr.p_align = __builtin_wasm_tls_align ();

  const uintptr_t extra[4][2] =
    { { AT_PHDR, (uintptr_t) &phdr }, { AT_PHNUM, 1 },
      { AT_PHENT, sizeof phdr }, { AT_ENTRY, (uintptr_t) &_start } };
  for (int i = 0; p[0] != AT_NULL; p += 2)
    if (p[0] == AT_IGNORE && i < 4)
      {
	p[0] = extra[i][0];
	p[1] = extra[i][1];
	i++;
      }

  __libc_start_main (call_main, argc, argv, NULL, NULL, NULL, sp);
}
