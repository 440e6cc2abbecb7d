//! What copying frames needs to know about activations.

use super::tls;
use crate::runtime::vm::VMStoreContext;
use core::ptr::NonNull;

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
