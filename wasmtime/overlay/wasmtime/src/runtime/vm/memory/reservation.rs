//! Shared memories over address space that the embedder reserved and manages.

use crate::Engine;
use crate::prelude::*;
use crate::runtime::vm::memory::{LocalMemory, RuntimeLinearMemory, SharedMemory};
use crate::runtime::vm::{MemoryBase, SendSyncPtr, VMMemoryDefinition};
use alloc::sync::Arc;
use core::any::Any;
use core::ptr::NonNull;
use wasmtime_environ::{IndexType, Limits, Memory, MemoryKind, MemoryTunables};

/// Every memory from a reservation has all 65536 pages of a 32-bit memory.
const BYTES: usize = 1 << 32;

struct Reservation {
    base: SendSyncPtr<u8>,
    /// Keeps the address space reserved.
    _owner: Arc<dyn Any + Send + Sync>,
}

impl RuntimeLinearMemory for Reservation {
    fn byte_size(&self) -> usize {
        BYTES
    }

    fn byte_capacity(&self) -> usize {
        BYTES
    }

    fn grow_to(&mut self, _size: usize) -> Result<()> {
        bail!("a memory from a reservation has its maximum size")
    }

    fn base(&self) -> MemoryBase {
        MemoryBase::Raw(self.base)
    }

    fn vmmemory(&self) -> VMMemoryDefinition {
        VMMemoryDefinition {
            base: self.base.as_non_null().into(),
            current_length: BYTES.into(),
        }
    }
}

impl SharedMemory {
    /// See [`crate::SharedMemory::from_reservation`].
    ///
    /// # Safety
    ///
    /// As there.
    pub unsafe fn from_reservation(
        engine: &Engine,
        base: NonNull<u8>,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> Result<Self> {
        let tunables = MemoryTunables::new(engine.tunables(), MemoryKind::LinearMemory);
        ensure!(
            tunables.reservation() <= BYTES as u64,
            "the engine expects memories of more than 4 GiB"
        );
        let ty = Memory {
            idx_type: IndexType::I32,
            limits: Limits {
                min: 1 << 16,
                max: Some(1 << 16),
            },
            shared: true,
            page_size_log2: 16,
        };
        let reservation = try_new::<Box<_>>(Reservation {
            base: base.into(),
            _owner: owner,
        })?;
        Self::wrap(
            engine,
            &ty,
            LocalMemory::new(&ty, &tunables, reservation, None)?,
        )
    }
}
