//! What copying and interrupting frames needs to know about activations.

use super::{CallThreadState, TrapReason, UnwindReason, tls};
use crate::Module;
use crate::prelude::*;
use crate::runtime::native_frames::BulkFault;
use crate::runtime::vm::VMStoreContext;
use core::ops::Range;
use core::ptr::NonNull;
use wasmtime_environ::{CompiledTrap, Trap};
use wasmtime_unwinder::Handler;

/// Is the store of `context` in the innermost activation of this thread, with
/// none of its Wasm code suspended further out?
pub(crate) fn is_only_activation(context: NonNull<VMStoreContext>) -> bool {
    tls::with(|state| {
        state.is_some_and(|state| {
            // SAFETY: the state that an activation saved lives as long as it.
            let outer = unsafe { state.old_last_wasm_exit_pc() };
            state.vm_store_context.get() == context && outer == 0
        })
    })
}

/// See `native_frames::set_bulk_fault_handler`.
pub(crate) type BulkFaultHandler = dyn Fn(&BulkFault) -> bool + Send + Sync;

/// What signal handlers know of a store's Wasm code.
pub(crate) struct NativeGuest {
    pub(crate) module: Module,
    /// The addresses of the module's code.
    pub(crate) text: Range<usize>,
    /// The address of the function that a signal can have called, and the
    /// `VMContext` that it is called with.
    pub(crate) function: Option<(usize, usize)>,
    /// See `native_frames::set_bulk_fault_handler`.
    pub(crate) bulk_fault: Option<Box<BulkFaultHandler>>,
}

impl core::fmt::Debug for NativeGuest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NativeGuest")
            .field("text", &self.text)
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}

/// The guest of the store in the innermost activation of this thread. It lives
/// as long as the activation.
pub(crate) fn native_guest() -> Option<NonNull<NativeGuest>> {
    tls::with(|state| state.and_then(|state| state.native_guest))
}

/// The context of the store in the innermost activation of this thread.
pub(crate) fn native_context() -> Option<NonNull<VMStoreContext>> {
    tls::with(|state| state.map(|state| state.vm_store_context.get()))
}

/// Makes `trap` the reason why the innermost activation of this thread ends, and
/// says where its Wasm code has to go on for that.
pub(crate) fn raise(pc: usize, trap: Trap) -> Option<Handler> {
    let reason = TrapReason::Jit {
        pc,
        faulting_addr: None,
        trap: CompiledTrap::Normal(trap),
    };
    tls::with(|state| {
        let state: &CallThreadState = state?;
        state.record_unwind(UnwindReason::from(reason));
        Some(state.entry_trap_handler())
    })
}
