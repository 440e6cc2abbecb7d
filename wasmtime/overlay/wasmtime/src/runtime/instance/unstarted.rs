//! Instances whose startup function does not run: another instance's state
//! takes the place of what it would do.

use super::{Instance, InstancePre, pre_instantiate_raw};
use crate::linker::{Definition, DefinitionType};
use crate::prelude::*;
use crate::runtime::vm;
use crate::{Extern, SharedMemory, StoreContextMut};

impl<T: 'static> InstancePre<T> {
    /// Makes an instance whose tables and segments are empty and whose globals
    /// are not initialized.
    ///
    /// # Safety
    ///
    /// Nothing uses the instance, by Wasm code or otherwise, before
    /// `vm::Instance::set_state`.
    pub(crate) unsafe fn instantiate_unstarted(
        &self,
        store: &mut StoreContextMut<'_, T>,
    ) -> Result<Instance> {
        let imports = pre_instantiate_raw(
            store.0,
            &self.module,
            &self.items,
            self.host_funcs,
            &self.func_refs,
            self.asyncness,
        )?;
        let (mut limiter, store) = store.0.validate_sync_resource_limiter_and_store_opaque()?;
        // SAFETY: `InstancePre::new` checked the types of the imports.
        let instance =
            unsafe { Instance::new_raw(store, limiter.as_mut(), &self.module, imports.as_ref()) };
        vm::assert_ready(instance)
    }

    /// The same imports, but with `memory` in place of every shared memory.
    pub(crate) fn with_shared_memory(&self, memory: &SharedMemory) -> Result<InstancePre<T>> {
        let engine = self.module.engine();
        let mut items = TryVec::with_capacity(self.items.len())?;
        for item in self.items.iter() {
            items.push(match item {
                Definition::Extern {
                    item: Extern::SharedMemory(_),
                    ..
                } => Definition::Extern {
                    item: memory.clone().into(),
                    ty: DefinitionType::Memory(*memory.ty().wasmtime_memory(), memory.size()),
                    engine: memory.engine().clone(),
                },
                other => other.clone(),
            })?;
        }
        // SAFETY: the items but for the memory, which is of no store, are those
        // that this was made of for a `T`.
        unsafe { InstancePre::new(engine, &self.module, items) }
    }
}
