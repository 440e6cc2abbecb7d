//! What a store keeps for jumps and contexts.

use super::context::Image;
use crate::prelude::*;
use crate::store::StoreOpaque;
use crate::{AsContext, AsContextMut, Global, Mutability, ValType};
use alloc::sync::Arc;

/// Read by code to which trampolines return, so it stays where it is.
#[derive(Default)]
pub(crate) struct StoreState {
    /// The stack pointer, the address and the value of rbx with which
    /// `JumpBuffers::longjmp` jumps.
    pub(super) jump: [usize; 3],
    /// What `Contexts` copy: from where, to where, how many words; and what the
    /// start function gets.
    pub(super) switch: [usize; 4],
    /// What `switch` copies, for as long as no host function has been called since.
    pub(super) image: Option<Arc<Image>>,
    /// The address of the stack pointer's global, or 0.
    stack_pointer: usize,
}

impl StoreState {
    /// The guest's stack pointer, or 0.
    #[inline]
    pub(super) fn stack_pointer(&self) -> i32 {
        if self.stack_pointer == 0 {
            return 0;
        }
        let global = core::ptr::with_exposed_provenance::<i32>(self.stack_pointer);
        // SAFETY: the global lives as long as the store, and no Wasm code of the
        // store runs while the host has a reference to it.
        unsafe { *global }
    }

    pub(super) fn set_stack_pointer(&mut self, value: i32) {
        if self.stack_pointer == 0 {
            return;
        }
        let global = core::ptr::with_exposed_provenance_mut::<i32>(self.stack_pointer);
        // SAFETY: as above; the global is mutable and of this type.
        unsafe { *global = value };
    }
}

/// Makes `global` the one that [`JumpBuffers`](super::JumpBuffers) and
/// [`Contexts`](super::Contexts) save and restore: the pointer of the stack that the
/// guest has in linear memory.
///
/// # Errors
///
/// The global is not a mutable `i32`.
///
/// # Panics
///
/// If `store` does not own `global`.
pub fn set_stack_pointer(mut store: impl AsContextMut, global: &Global) -> Result<()> {
    let ty = global.ty(&store);
    ensure!(
        matches!(ty.content(), ValType::I32) && ty.mutability() == Mutability::Var,
        "the stack pointer is not a mutable i32"
    );
    let store: &mut StoreOpaque = store.as_context_mut().0;
    let definition = global.vmimport(store).from.as_non_null();
    store.native_frames.stack_pointer = definition.as_ptr().expose_provenance();
    Ok(())
}

/// The value of the global of [`set_stack_pointer`], or 0 if there is none.
#[inline]
pub fn stack_pointer(store: impl AsContext) -> i32 {
    store.as_context().0.native_frames.stack_pointer()
}
