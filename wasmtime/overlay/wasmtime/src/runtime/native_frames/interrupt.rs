//! Interrupting Wasm code from a signal handler of its thread.
//!
//! A signal handler finds the interrupted code with [`interrupted`] and can
//! [kill](Interrupted::kill) it or make it [call](Interrupted::call) a function
//! of the guest. The call happens after the handler, in an *interruption frame*
//! on the stack of the interrupted code, which has all of its registers:
//!
//! ```text
//! interrupted function   [fp] [fp + 8] as ever, down to its stack pointer sp
//! interruption frame     sp - 8  its program counter, for the return to it
//!                        sp - 16 flags
//!                        fp + 8  the program counter  } the chain of
//!                        fp      the frame pointer    } frames
//!                        fp - 8 * n                   registers, see `Word`
//!                        ...     what XSAVE saves, aligned to 64 bytes
//! guest function         called by `wasmtime_native_frames_interrupt`
//! ```
//!
//! Nothing here takes a lock. Memory is allocated by `kill` only: as the
//! interrupted code is Wasm code, the thread is not within the allocator.

mod bulk;
mod enter;
mod settled;

pub use self::bulk::{BulkFault, set_bulk_fault_handler};
pub(crate) use self::bulk::{RETRY_WORDS, retry_after_fault};
pub(super) use self::enter::interruption_return;
use self::enter::{STATE, interrupt_entry};
use crate::prelude::*;
use crate::runtime::vm::{
    NativeGuest, VMStoreContext, is_only_activation, native_context, native_guest, raise,
};
use crate::store::StoreOpaque;
use crate::{AsContextMut, Instance, Module};
use core::ffi::c_void;
use wasmtime_environ::{CompiledTrap, EntityIndex, FuncKey, Trap};

/// How much native stack the guest function gets beyond
/// [`Config::max_wasm_stack`](crate::Config::max_wasm_stack) if the interrupted
/// code has used up that. The thread's stack must have it.
pub const SIGNAL_STACK: usize = 64 << 10;

/// It gets more if less than this is left.
const ENOUGH_STACK: usize = 32 << 10;

/// The words of an interruption frame, by their distance below its frame
/// pointer in words. The assembly in `enter` knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Word {
    /// Sixteen bytes below the stack pointer of the interrupted code.
    Top = 5,
    /// The last of the registers.
    R15 = 15,
    /// The `VMContext` of the guest function.
    Vmctx = 16,
    /// Its address.
    Function = 17,
    /// The store's context.
    Context = 18,
    /// By how much its stack limit was lowered.
    Shift = 19,
    /// What XSAVE saves, in `eax` and `edx`.
    Mask = 20,
}

/// The registers, in the order in which they are in the frame. `rsp` and `rbp`
/// are elsewhere; `Word::Top` takes the place of the former.
const REGISTERS: [libc::c_int; 15] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

impl Word {
    /// The address of the word in the frame at `fp`.
    pub(super) fn of(self, fp: usize) -> usize {
        fp - 8 * (self as usize)
    }

    /// The addresses of the words that can be pointers of the interrupted code
    /// to its instance, or are such pointers of the frame itself.
    pub(super) fn pointers(fp: usize) -> impl Iterator<Item = usize> {
        let registers = (1..=Word::R15 as usize).filter(|n| *n != Word::Top as usize);
        let own = [Word::Vmctx as usize, Word::Context as usize];
        registers.chain(own).map(move |n| fp - 8 * n)
    }
}

/// Bytes below the frame pointer for the words.
const WORDS: usize = 176;

/// Makes Wasm code of `module` in `store` known to signal handlers.
///
/// Code of the module can be killed from now on, also its start function.
///
/// # Errors
///
/// Native frames are not enabled, or Wasm code of the store runs.
pub fn set_interruptible(mut store: impl AsContextMut, module: &Module) -> Result<()> {
    let store = store.as_context_mut().0;
    check(store)?;
    enter::init();
    let text = module.engine_code().text().as_ptr_range();
    store.native_guest = Some(Box::new(NativeGuest {
        module: module.clone(),
        text: text.start.addr()..text.end.addr(),
        function: None,
        bulk_fault: None,
    }));
    Ok(())
}

/// Makes the export `name` of `instance` the function that signal handlers can
/// have called. It has no parameters and no results.
///
/// The function runs between any two instructions of other code: in C, it has to
/// leave alone the 128 bytes below the stack pointer of linear memory, which
/// functions without calls use without moving it.
///
/// # Errors
///
/// There is no such function, the module is not the one of
/// [`set_interruptible`], or Wasm code of the store runs.
///
/// # Panics
///
/// If `store` does not own `instance`.
pub fn set_signal_function(
    mut store: impl AsContextMut,
    instance: &Instance,
    name: &str,
) -> Result<()> {
    instance.get_typed_func::<(), ()>(&mut store, name)?;
    let store = store.as_context_mut().0;
    check(store)?;
    let module = instance._module(store).clone();
    let start = exported_function(&module, name)?;
    let vmctx = instance.id.get(store).vmctx().as_ptr().expose_provenance();
    match &mut store.native_guest {
        Some(guest) if Module::same(&guest.module, &module) => {
            guest.function = Some((start, vmctx));
            Ok(())
        }
        _ => bail!("the module is not known to signal handlers"),
    }
}

/// The address of the function that `module` exports as `name`.
pub(super) fn exported_function(module: &Module, name: &str) -> Result<usize> {
    let env = module.env_module();
    let atom = env.strings.get_atom(name);
    let export = atom.and_then(|name| env.exports.get(&name).copied());
    let Some(EntityIndex::Function(index)) = export else {
        bail!("the module has no function `{name}`");
    };
    let Some(defined) = env.defined_func_index(index) else {
        bail!("the function `{name}` is imported");
    };
    let key = FuncKey::DefinedWasmFunction(env.module_index, defined);
    let start = module.compiled_module().function_range(key).start;
    Ok(module.engine_code().text().as_ptr().addr() + start)
}

fn check(store: &StoreOpaque) -> Result<()> {
    ensure!(
        store.engine().tunables().native_frames,
        "native frames are not enabled in this engine"
    );
    // SAFETY: the limit is written by entries into this store only, and this is
    // the store's one user.
    let limit = unsafe { *store.vm_store_context().stack_limit.get() };
    ensure!(limit == usize::MAX, "Wasm code of the store runs already");
    Ok(())
}

/// Wasm code that a signal interrupted.
#[derive(Debug)]
pub struct Interrupted<'a> {
    guest: &'a NativeGuest,
    registers: &'a mut [i64; 23],
    pc: usize,
    /// Where its function is in the text.
    function: core::ops::Range<usize>,
}

/// The Wasm code that was interrupted by the signal whose handler runs now on
/// this thread.
///
/// `None` if that is something else: the host, a trampoline, a libcall, or code
/// of a store or module without [`set_interruptible`]. All of these end after a
/// while, so it helps to try again.
///
/// # Safety
///
/// `context` is the third argument of a signal handler that was installed with
/// `SA_SIGINFO` and `SA_ONSTACK` and that runs now on this thread. The result is
/// not used after it, and there is no other.
pub unsafe fn interrupted<'a>(context: *mut c_void) -> Option<Interrupted<'a>> {
    // SAFETY: the store of the activation owns the guest, and the activation
    // lasts longer than the signal handler that interrupts it.
    let guest = unsafe { native_guest()?.as_ref() };
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: the kernel made the context for the handler, by the caller's promise.
    let context = unsafe { &mut *context };
    let registers = &mut context.uc_mcontext.gregs;
    let pc = register(registers, libc::REG_RIP);
    let function = guest.function_at(pc)?;
    Some(Interrupted {
        guest,
        registers,
        pc,
        function,
    })
}

fn register(registers: &[i64; 23], index: libc::c_int) -> usize {
    let index = usize::try_from(index).unwrap_or_default();
    usize::from_ne_bytes(registers[index].to_ne_bytes())
}

impl Interrupted<'_> {
    /// The trap that the instruction is a site of, if any.
    ///
    /// If the signal is a fault, this is what the fault means.
    pub fn trap(&self) -> Option<Trap> {
        let code = self.guest.module.engine_code();
        match code.trap_at(self.pc - self.guest.text.start)? {
            CompiledTrap::Normal(trap) => Some(trap),
            _ => None,
        }
    }

    /// Makes the code unwind to where the host called it, as a trap does, when
    /// the signal handler has returned. The call's error is [`Trap::Interrupt`].
    pub fn kill(mut self) {
        let Some(handler) = raise(self.pc, Trap::Interrupt) else {
            return;
        };
        self.set(libc::REG_RIP, handler.pc);
        self.set(libc::REG_RSP, handler.sp);
        self.set(libc::REG_RBP, handler.fp);
        self.set(libc::REG_RAX, 0);
        self.set(libc::REG_RDX, 0);
    }

    /// Makes the code call the guest's function when the signal handler has
    /// returned. After that it goes on with the instruction at which it was
    /// interrupted, with all registers as they are now.
    ///
    /// `false`: not now. Nothing has changed then. The code is where a frame is
    /// made or taken away, for which it helps to try again; or there is no
    /// [`set_signal_function`]; or the code and the guest's function
    /// have used up all stack, or several activations of the store are on the stack.
    pub fn call(self) -> bool {
        self.prepare_call().is_some()
    }

    fn prepare_call(mut self) -> Option<()> {
        let (code, vmctx) = self.guest.function?;
        let text = self.guest.module.engine_code().text();
        let function = text.get(self.function.clone())?;
        let at = self.pc - self.guest.text.start - self.function.start;
        let context = self.context()?;
        let (fp, sp) = (self.get(libc::REG_RBP), self.get(libc::REG_RSP));
        // SAFETY: the context is that of the activation, which is interrupted.
        let entry_sp = unsafe { *context.last_wasm_entry_sp.get() };
        // SAFETY: as above.
        let limit = unsafe { *context.stack_limit.get() };
        let sound = settled::is_settled(function, at)
            && fp % 16 == 0
            && sp % 8 == 0
            && sp <= fp
            && fp <= entry_sp - 16;
        if !sound {
            return None;
        }
        let (mask, size) = *STATE.get()?;
        let top = sp - 16;
        let frame = (top - 16) & !15;
        let state = (frame - WORDS - size) & !63;
        let shift = lowering(context, fp, state)?;

        let put = |address: usize, value: usize| {
            let word = core::ptr::with_exposed_provenance_mut::<usize>(address);
            // SAFETY: the word is aligned and on the stack of the interrupted
            // code, below what it uses, where the host keeps room.
            unsafe { *word = value };
        };
        put(top + 8, self.pc);
        put(top, self.get(libc::REG_EFL));
        put(frame + 8, self.pc);
        put(frame, fp);
        for (n, register) in (1..).zip(REGISTERS) {
            put(frame - 8 * n, self.get(register));
        }
        put(Word::Top.of(frame), top);
        put(Word::Vmctx.of(frame), vmctx);
        put(Word::Function.of(frame), code);
        put(Word::Context.of(frame), self.context_address());
        put(Word::Shift.of(frame), shift);
        put(Word::Mask.of(frame), usize::try_from(mask).ok()?);
        // The header of what XSAVE saves.
        for word in 0..8 {
            put(state + 512 + 8 * word, 0);
        }
        // SAFETY: the context is that of the activation, which is interrupted.
        unsafe { *context.stack_limit.get() = limit - shift };
        self.go_to_entry(frame, state);
        Some(())
    }

    fn go_to_entry(&mut self, fp: usize, sp: usize) {
        const DIRECTION: usize = 1 << 10;
        let flags = self.get(libc::REG_EFL) & !DIRECTION;
        self.set(libc::REG_RIP, interrupt_entry());
        self.set(libc::REG_RBP, fp);
        self.set(libc::REG_RSP, sp);
        self.set(libc::REG_EFL, flags);
    }

    fn set(&mut self, index: libc::c_int, value: usize) {
        let index = usize::try_from(index).unwrap_or_default();
        self.registers[index] = i64::from_ne_bytes(value.to_ne_bytes());
    }

    fn get(&self, index: libc::c_int) -> usize {
        register(self.registers, index)
    }

    fn context_address(&self) -> usize {
        native_context().map_or(0, |context| context.as_ptr().expose_provenance())
    }

    /// The context of the store that the code is of.
    fn context(&self) -> Option<&VMStoreContext> {
        let context = native_context()?;
        // SAFETY: the activation's store owns it.
        is_only_activation(context).then(|| unsafe { context.as_ref() })
    }
}

/// By how much the stack limit has to be lowered for a function whose stack
/// begins at `sp`, with the frame at `fp` and its callers suspended. `None` if it
/// was lowered before, and that is used up.
fn lowering(context: &VMStoreContext, fp: usize, sp: usize) -> Option<usize> {
    // SAFETY: the context is that of the activation, whose code does not run now.
    let limit = unsafe { *context.stack_limit.get() };
    if sp >= limit.saturating_add(ENOUGH_STACK) {
        return Some(0);
    }
    (!is_lowered(context, fp)).then_some(SIGNAL_STACK)
}

/// Does the stack have an interruption frame for which the limit was lowered, at
/// or above the frame at `fp`?
fn is_lowered(context: &VMStoreContext, mut fp: usize) -> bool {
    // SAFETY: the context is that of the activation, whose code does not run now.
    let entry_fp = unsafe { *context.last_wasm_entry_fp.get() };
    let word = |address: usize| {
        let word = core::ptr::with_exposed_provenance::<usize>(address);
        // SAFETY: the chain of frames up to the entry frame is intact, as the
        // code is settled in its frame; all of them have such words.
        unsafe { *word }
    };
    while fp < entry_fp {
        let (next, pc) = (word(fp), word(fp + 8));
        if next <= fp || (pc == interruption_return() && word(Word::Shift.of(next)) != 0) {
            return true;
        }
        fp = next;
    }
    false
}

impl NativeGuest {
    /// The range in the text of the Wasm function that `pc` is in.
    fn function_at(&self, pc: usize) -> Option<core::ops::Range<usize>> {
        if !self.text.contains(&pc) {
            return None;
        }
        function_at(&self.module, pc - self.text.start)
    }
}

/// The range in the text of `module` of the Wasm function that is at `offset`.
pub(super) fn function_at(module: &Module, offset: usize) -> Option<core::ops::Range<usize>> {
    let compiled = module.compiled_module();
    let index = compiled.func_by_text_offset(offset)?;
    let key = FuncKey::DefinedWasmFunction(module.env_module().module_index, index);
    let range = compiled.function_range(key);
    range.contains(&offset).then_some(range)
}
