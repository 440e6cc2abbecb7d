//! Shared memories over address space that the embedder reserved and manages.

use super::SharedMemory;
use crate::prelude::*;
use crate::{Engine, MemoryType};
use alloc::sync::Arc;
use core::any::Any;
use core::ptr::NonNull;

impl SharedMemory {
    /// Makes a shared memory of 4 GiB at `base`, in which the embedder decides
    /// which pages are accessible.
    ///
    /// Its size is 65536 pages from the start and its type accordingly: a
    /// module that imports it says `shared` and a maximum of 65536 pages. An
    /// access of Wasm to an inaccessible page is a trap,
    /// [`Trap::MemoryOutOfBounds`](crate::Trap::MemoryOutOfBounds). `owner` is
    /// kept until the memory is dropped.
    ///
    /// [`SharedMemory::data`] must not be used to access such a memory.
    ///
    /// # Safety
    ///
    /// `base` is aligned to a page; the 4 GiB from it and the engine's
    /// [`memory_guard_size`](crate::Config::memory_guard_size) after them are
    /// reserved for this memory as long as `owner` lives: nothing is ever mapped
    /// there that Wasm may not read and, if the mapping is writable, write; and
    /// nothing is ever mapped in the guard.
    /// [`set_fault_safe_hooks`](crate::set_fault_safe_hooks) was called, unless
    /// every page stays readable and writable.
    ///
    /// # Errors
    ///
    /// `ty` is not the type of such a memory, shared memories are not enabled,
    /// or the engine was configured for memories of more than 4 GiB.
    pub unsafe fn from_reservation(
        engine: &Engine,
        ty: MemoryType,
        base: NonNull<u8>,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> Result<SharedMemory> {
        ensure!(
            ty.is_shared() && !ty.is_64() && ty.page_size() == 1 << 16,
            "a memory from a reservation is shared, 32-bit and has pages of 64 KiB"
        );
        ensure!(
            ty.maximum() == Some(1 << 16),
            "a memory from a reservation has a maximum of 65536 pages"
        );
        // SAFETY: the caller's promise.
        let vm =
            unsafe { crate::runtime::vm::SharedMemory::from_reservation(engine, base, owner)? };
        Ok(Self::from_raw(vm, engine.clone()))
    }
}
