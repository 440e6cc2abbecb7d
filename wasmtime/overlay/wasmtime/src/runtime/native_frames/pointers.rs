//! The pointers that a slot of a frame can hold, and those of an instance.

use crate::Instance;
use crate::prelude::*;
use crate::store::StoreOpaque;
use core::ops::Range;
use wasmtime_environ::TableIndex;

/// What a slot of a frame points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointer {
    /// The instance's `VMContext`.
    Vmctx,
    /// The elements of the instance's table 0.
    Table,
}

/// The pointers of one instance.
#[derive(Clone, Copy)]
pub(super) struct Pointers {
    vmctx: usize,
    table: usize,
}

impl Pointers {
    pub(super) fn of(store: &StoreOpaque, instance: Instance) -> Pointers {
        let instance = instance.id.get(store);
        let vmctx = instance.vmctx().as_ptr().addr();
        let table = if instance.env_module().tables.is_empty() {
            0
        } else {
            instance.table_base(TableIndex::from_u32(0)).addr()
        };
        Pointers { vmctx, table }
    }

    /// Which of the pointers `value` is.
    pub(super) fn classify(&self, value: usize) -> Result<Pointer> {
        if value == self.vmctx {
            Ok(Pointer::Vmctx)
        } else if value == self.table && value != 0 {
            Ok(Pointer::Table)
        } else {
            bail!("a frame belongs to another instance")
        }
    }

    pub(super) fn get(&self, pointer: Pointer) -> usize {
        match pointer {
            Pointer::Vmctx => self.vmctx,
            Pointer::Table => self.table,
        }
    }
}

/// The addresses that belong to `instance` alone, for tests of the map.
pub(super) fn ranges(store: &StoreOpaque, instance: Instance) -> [Range<usize>; 2] {
    let vmctx = Pointers::of(store, instance).vmctx;
    let size = instance.id.get(store).vmctx_size();
    let context = store.vm_store_context_ptr().as_ptr().addr();
    [
        vmctx..vmctx + size,
        context..context + size_of::<crate::vm::VMStoreContext>(),
    ]
}
