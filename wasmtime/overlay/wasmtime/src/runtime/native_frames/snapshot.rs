//! Instances that begin as another one is.

use crate::prelude::*;
use crate::runtime::vm::InstanceState;
use crate::{AsContext, AsContextMut, Engine, Instance, InstancePre, Module, SharedMemory};
use alloc::sync::Arc;

/// What an instance has become since it was made: the values of its globals,
/// the elements of its tables, and which segments were dropped.
///
/// With it an instance of the same module can be made in another store, for a
/// process that forks or for another thread of the same process. The memory is
/// not part of it: modules import theirs.
#[derive(Clone)]
pub struct Snapshot {
    module: Module,
    state: Arc<InstanceState>,
}

impl core::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    /// Takes a snapshot of `instance`. No harm is done by Wasm code of the store
    /// being suspended, as in a host function.
    ///
    /// # Errors
    ///
    /// The instance has something that cannot be given to one in another store: a
    /// memory of its own, a reference to a function of another instance or of
    /// the host's, references to anything but functions, or tables
    /// that are initialized lazily (`Config::table_lazy_init`).
    ///
    /// # Panics
    ///
    /// If `store` does not own `instance`.
    pub fn take(store: impl AsContext, instance: &Instance) -> Result<Snapshot> {
        let store = store.as_context().0;
        let tunables = store.engine().tunables();
        ensure!(
            !tunables.debug_guest,
            "instances cannot be copied in an engine for debugging"
        );
        let module = instance._module(store).clone();
        let state = instance.id.get(store).state(tunables.table_lazy_init)?;
        Ok(Snapshot {
            module,
            state: Arc::new(state),
        })
    }

    /// Makes an instance in `store`, with the imports of `imports`, that is what
    /// the other was when the snapshot was taken.
    ///
    /// The module's start function does not run, and its active segments are not
    /// applied: the tables have what they had, and the memory has what the
    /// caller put there.
    ///
    /// # Errors
    ///
    /// `imports` are for another module, or the store's limits do not admit the
    /// instance. `store` should not be used any more then.
    ///
    /// # Panics
    ///
    /// As [`InstancePre::instantiate`].
    pub fn instantiate<T: 'static>(
        &self,
        mut store: impl AsContextMut<Data = T>,
        imports: &InstancePre<T>,
    ) -> Result<Instance> {
        let mut store = store.as_context_mut();
        ensure!(
            Module::same(imports.module(), &self.module),
            "the imports are for another module than the snapshot"
        );
        ensure!(
            Engine::same(store.engine(), self.module.engine()),
            "the store is of another engine than the snapshot"
        );
        // SAFETY: it gets its state below; if that fails, nobody has it.
        let instance = unsafe { imports.instantiate_unstarted(&mut store)? };
        let (mut limiter, store) = store.0.validate_sync_resource_limiter_and_store_opaque()?;
        let made = instance.id.get_mut(store);
        // SAFETY: the module is the same, which was compiled for one engine; code
        // is private to a store only in an engine for debugging, which `take` refuses.
        unsafe { made.set_state(limiter.as_mut(), &self.state)? };
        Ok(instance)
    }
}

/// The same imports as `imports`, but with `memory` in place of the shared
/// memory among them.
///
/// Making imports from a [`Linker`](crate::Linker) for each process is slower.
///
/// # Errors
///
/// `memory` is not of the type that the module imports.
pub fn with_memory<T: 'static>(
    imports: &InstancePre<T>,
    memory: &SharedMemory,
) -> Result<InstancePre<T>> {
    imports.with_shared_memory(memory)
}
