//! Faults of `memory.copy` and `memory.fill`.
//!
//! The host does these for compiled code, so there is no instruction of compiled
//! code that faults. When the host finds that memory is not accessible, the code
//! is made to look as if a signal had interrupted it just after it called the
//! libcall's trampoline, before the first instruction of that: the guest's
//! function runs, and then the trampoline once more with the same arguments.

use super::enter::{STATE, retry_entry};
use super::{WORDS, Word, function_at, lowering};
use crate::AsContextMut;
use crate::prelude::*;
use crate::runtime::vm::is_only_activation;
use crate::store::StoreOpaque;
use core::ops::Range;
use wasmtime_environ::{BuiltinFunctionIndex, FuncKey};

/// What `memory.copy` or `memory.fill` was about to access. In one of the ranges
/// something is not accessible.
#[derive(Clone, Debug)]
pub struct BulkFault {
    /// The addresses that are written.
    pub written: Range<usize>,
    /// The addresses that are read, which may be the host's.
    pub read: Range<usize>,
}

/// Sets what is asked when `memory.copy` or `memory.fill` found memory that is not
/// accessible: shall the function of
/// [`set_signal_function`](super::set_signal_function) be called? When it has
/// returned, the whole operation is done again. If not, this is a trap.
///
/// It is a trap without asking if the function cannot be called now, or if the
/// ranges of a copy overlap: a part of it may have been done.
///
/// # Errors
///
/// There is no [`set_interruptible`](super::set_interruptible), or Wasm code of
/// the store runs.
pub fn set_bulk_fault_handler(
    mut store: impl AsContextMut,
    handler: impl Fn(&BulkFault) -> bool + Send + Sync + 'static,
) -> Result<()> {
    let store = store.as_context_mut().0;
    super::check(store)?;
    let Some(guest) = &mut store.native_guest else {
        bail!("the module is not known to signal handlers");
    };
    guest.bulk_fault = Some(Box::new(handler));
    Ok(())
}

/// Called by the libcall for `builtin` with its arguments but the first, after a
/// fault. If the result is true, the libcall has to return success: its
/// trampoline then goes on elsewhere.
pub(crate) fn retry_after_fault(
    store: &mut StoreOpaque,
    builtin: BuiltinFunctionIndex,
    args: [usize; 3],
) -> bool {
    let [to, from, len] = args;
    let is_copy = builtin == BuiltinFunctionIndex::memory_copy();
    let fault = BulkFault {
        written: to..to.saturating_add(len),
        read: if is_copy {
            from..from.saturating_add(len)
        } else {
            0..0
        },
    };
    prepare_retry(store, builtin, args, &fault).is_some()
}

fn prepare_retry(
    store: &mut StoreOpaque,
    builtin: BuiltinFunctionIndex,
    args: [usize; 3],
    fault: &BulkFault,
) -> Option<()> {
    let guest = store.native_guest.as_deref()?;
    let (code, vmctx) = guest.function?;
    let handler = guest.bulk_fault.as_ref()?;
    let context_address = store.vm_store_context_ptr();
    if !is_only_activation(context_address) {
        return None;
    }
    let context = store.vm_store_context();
    // SAFETY: the libcall is one of this store's code, which waits for it.
    let trampoline_fp = unsafe { *context.last_wasm_exit_trampoline_fp.get() };
    let word = |address: usize| core::ptr::with_exposed_provenance_mut::<usize>(address);
    // SAFETY: the frame of the trampoline has its caller's frame pointer there.
    let fp = unsafe { *word(trampoline_fp) };
    // SAFETY: and its return address there.
    let pc = unsafe { *word(trampoline_fp + 8) };
    if !guest.text.contains(&pc) || trampoline_fp % 16 != 0 {
        return None;
    }
    function_at(&guest.module, pc - guest.text.start)?;
    let key = FuncKey::WasmToBuiltinTrampoline(builtin);
    let trampoline = guest.module.compiled_module().function_range(key).start;

    // As the first instruction of the trampoline finds the stack.
    let sp = trampoline_fp + 8;
    let top = sp - 16;
    let frame = (top - 16) & !15;
    let (mask, size) = *STATE.get()?;
    let state = (frame - WORDS - size) & !63;
    let shift = lowering(context, fp, state)?;
    if !handler(fault) {
        return None;
    }

    let mut words = [0; RETRY_WORDS];
    let lowest = frame - WORDS;
    let mut put = |address: usize, value: usize| {
        if let Some(word) = words.get_mut(2 + (address - lowest) / 8) {
            *word = value;
        }
    };
    /// The flag that is always set.
    const FLAGS: usize = 2;
    put(sp, pc);
    put(top + 8, guest.text.start + trampoline);
    put(top, FLAGS);
    put(frame + 8, pc);
    put(frame, fp);
    // rdi, rsi, rdx and rcx have the arguments.
    put(frame - 8 * 7, vmctx);
    put(frame - 8 * 6, args[0]);
    put(frame - 8 * 3, args[1]);
    put(frame - 8 * 2, args[2]);
    put(Word::Top.of(frame), top);
    put(Word::Vmctx.of(frame), vmctx);
    put(Word::Function.of(frame), code);
    put(
        Word::Context.of(frame),
        context_address.as_ptr().expose_provenance(),
    );
    put(Word::Shift.of(frame), shift);
    put(Word::Mask.of(frame), usize::try_from(mask).ok()?);
    words[0] = state;
    words[1] = lowest;
    // SAFETY: the limit is that of the activation, whose code waits.
    unsafe { *context.stack_limit.get() -= shift };
    store.native_retry = words;
    let argument = (&raw const store.native_retry).expose_provenance();
    // SAFETY: the trampoline takes its caller's frame pointer from there; where
    // it goes on that is the address of the words.
    unsafe { *word(trampoline_fp) = argument };
    // SAFETY: and its return address. There it finds the stack pointer that its
    // caller had, and the callee-saved registers.
    unsafe { *word(trampoline_fp + 8) = retry_entry() };
    Some(())
}

/// The stack pointer, where the rest goes, and an interruption frame with the two
/// words above it, one that aligns it, and the return address.
pub(crate) const RETRY_WORDS: usize = 2 + WORDS / 8 + 2 + 1 + 2 + 1;
