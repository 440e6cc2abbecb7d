/* Running signal handlers, Linux/wasm32.

   The host calls no function of the program on top of its own: an import that
   is interrupted returns LIND_SIGNAL, and the program asks for the handlers.
   `lind.signal (sp)' takes the next signal that has one, blocks what its
   action says, and makes a frame below SP or on the alternate stack; 0 if there
   is none left.  rt_sigreturn restores the mask of the frame and then the
   result of the interrupted call, or does the call again; restart_syscall gives
   that result when there was no handler.  Each may be interrupted like any
   other call.  */
#include <lind-signal.h>
#include <sysdep.h>

/* A signal may come between any two of these instructions, and its frame is
   made below the stack pointer then: it has to be below the frame whenever
   there is one, from before it is made (where the host makes it, unless it is
   on the alternate stack) until rt_sigreturn has read it.  Nothing is written
   to the stack before there is a frame: it may be full.  */
__asm__ (".globaltype __stack_pointer, i32\n\t"
	 ".functype __lind_signal (i32) -> (i32)\n\t"
	 ".import_module __lind_signal, lind\n\t"
	 ".import_name __lind_signal, signal\n\t"
	 ".functype __wasm_syscall (i32, i32, i32, i32, i32, i32, i32)"
	 " -> (i32)\n\t"
	 ".import_module __wasm_syscall, lind\n\t"
	 ".import_name __wasm_syscall, syscall\n\t"
	 ".functype __lind_handle (i32) -> ()\n\t"
	 ".functype __lind_run_signals () -> (i32)\n\t"

	 ".globl __lind_run_signals\n\t"
	 ".type __lind_run_signals,@function\n"
	 "__lind_run_signals:\n\t"
	 ".functype __lind_run_signals () -> (i32)\n\t"
	 ".local i32, i32, i32\n\t"
	 "global.get __stack_pointer\n\tlocal.set 0\n\t"
	 "loop\n\t"
	 "local.get 0\n\ti32.const 484\n\ti32.sub\n\ti32.const -16\n\ti32.and\n\t"
	 "global.set __stack_pointer\n\t"
	 "local.get 0\n\tcall __lind_signal\n\tlocal.tee 1\n\t"
	 "if\n\t"
	 "local.get 1\n\tglobal.set __stack_pointer\n\t"
	 "local.get 1\n\tcall __lind_handle\n\t"
	 "i32.const 139\n\t"	/* __NR_rt_sigreturn */
	 "local.set 2\n\t"
	 "else\n\t"
	 "i32.const 128\n\t"	/* __NR_restart_syscall */
	 "local.set 2\n\t"
	 "end_if\n\t"
	 "local.get 2\n\tlocal.get 1\n\t"
	 "i32.const 0\n\ti32.const 0\n\ti32.const 0\n\ti32.const 0\n\t"
	 "i32.const 0\n\tcall __wasm_syscall\n\tlocal.tee 2\n\t"
	 "i32.const -4096\n\ti32.eq\n\tbr_if 0\n\t"
	 "end_loop\n\t"
	 "local.get 0\n\tglobal.set __stack_pointer\n\t"
	 "local.get 2\n\t"
	 "end_function\n\t"

	 /* The host calls this between two instructions of the program.  */
	 ".globl __lind_async_signal\n\t"
	 ".export_name __lind_async_signal, __lind_async_signal\n\t"
	 ".type __lind_async_signal,@function\n"
	 "__lind_async_signal:\n\t"
	 ".functype __lind_async_signal () -> ()\n\t"
	 "call __lind_run_signals\n\tdrop\n\t"
	 "end_function");

_Static_assert (__NR_rt_sigreturn == 139 && __NR_restart_syscall == 128
		&& LIND_SIGNAL == -4096
		&& 128 + sizeof (struct __lind_sigframe) == 484,
		"the numbers above");

/* Called with FRAME at the stack pointer.  A handler of one argument is called
   with three as well, as Linux calls it.  */
void
__attribute__ ((used))
__lind_handle (struct __lind_sigframe *frame)
{
  if (frame->more)
    __lind_run_signals ();
  frame->handler (frame->signo, &frame->info, &frame->context);
}
