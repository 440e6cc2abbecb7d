//! The globals of an instance, whether the module exports them or not.

use crate::prelude::*;
use crate::{AsContextMut, Instance, Module};
use wasmtime_environ::{DefinedGlobalIndex, WasmValType};

/// The values of an instance's mutable numeric globals.
#[derive(Clone, Debug)]
pub struct Globals {
    module: Module,
    values: Vec<(DefinedGlobalIndex, [u8; 16])>,
}

/// The mutable globals of `module` that have numbers.
fn mutable(module: &Module) -> impl Iterator<Item = DefinedGlobalIndex> + '_ {
    let module = module.env_module();
    module.globals.iter().filter_map(move |(index, global)| {
        let number = !matches!(global.wasm_ty, WasmValType::Ref(_));
        module
            .defined_global_index(index)
            .filter(|_| global.mutability && number)
    })
}

/// Copies the values of all mutable globals that `instance` defines, except
/// references.
///
/// # Panics
///
/// If `store` does not own `instance`.
pub fn copy_globals(mut store: impl AsContextMut, instance: &Instance) -> Globals {
    let store = store.as_context_mut().0;
    let module = instance._module(store).clone();
    let instance = instance.id.get(store);
    let values = mutable(&module)
        .map(|index| {
            let global = instance.global_ptr(index).as_ptr().cast::<[u8; 16]>();
            // SAFETY: the definition of a global is 16 bytes, of plain data if
            // it is a number; no Wasm code runs now.
            (index, unsafe { *global })
        })
        .collect();
    Globals { module, values }
}

/// Sets the globals of `instance` to values that were copied.
///
/// # Errors
///
/// The values are of another module.
///
/// # Panics
///
/// If `store` does not own `instance`.
pub fn set_globals(
    mut store: impl AsContextMut,
    instance: &Instance,
    globals: &Globals,
) -> Result<()> {
    let store = store.as_context_mut().0;
    ensure!(
        Module::same(instance._module(store), &globals.module),
        "the globals are of another module than the instance"
    );
    let instance = instance.id.get(store);
    for (index, value) in &globals.values {
        let global = instance.global_ptr(*index).as_ptr().cast::<[u8; 16]>();
        // SAFETY: as in `copy_globals`; the global has the same type.
        unsafe { *global = *value };
    }
    Ok(())
}
