//! The pointers of an instance that its code has.

use crate::Instance;
use crate::prelude::*;
use crate::runtime::vm::Imports;
use crate::store::StoreOpaque;
use core::ops::Range;
use wasmtime_environ::VM_ARRAY_CALL_HOST_FUNC_MAGIC;

/// What the pinned register has in code of `instance`.
pub(super) fn vmctx(store: &StoreOpaque, instance: Instance) -> usize {
    instance.id.get(store).vmctx().as_ptr().addr()
}

/// Refuses functions of other instances: they would run with the context of the
/// importing one in the pinned register.
pub(crate) fn check_imports(store: &StoreOpaque, imports: &Imports<'_>) -> Result<()> {
    if !store.engine().tunables().native_frames {
        return Ok(());
    }
    for function in imports.functions {
        // SAFETY: imports that the store has checked point to contexts that
        // live as long as it.
        let context = unsafe { function.vmctx.as_non_null().as_ref() };
        ensure!(
            context.magic == VM_ARRAY_CALL_HOST_FUNC_MAGIC,
            "with native frames a module cannot import a function of another instance"
        );
    }
    Ok(())
}

/// The addresses that belong to `instance` alone, for tests of the compiler.
pub(super) fn ranges(store: &StoreOpaque, instance: Instance) -> Vec<Range<usize>> {
    let vmctx = vmctx(store, instance);
    let instance = instance.id.get(store);
    let context = store.vm_store_context_ptr().as_ptr().addr();
    let mut all = vec![
        vmctx..vmctx + instance.vmctx_size(),
        context..context + size_of::<crate::vm::VMStoreContext>(),
    ];
    all.extend(instance.table_ranges());
    all
}
