//! The engine's unsafe code.

use std::fs::File;
use std::sync::{Arc, OnceLock};

use rawposix_memory::{AddressSpace, fault};
use wasmtime::{Engine, FaultSafeHooks, MemoryType, Module, SharedMemory};

/// Pages of a wasm32 memory of full size.
const PAGES: u32 = 1 << 16;

/// Lets the engine's own copies into guest memory fail like the guest's accesses do; once per process.
///
/// rawposix's handler for memory faults is installed first, so that the engine's passes on to it what is not its own.
pub(super) fn install_fault_hooks() -> wasmtime::Result<()> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let install = || {
        fault::install()?;
        let hooks = FaultSafeHooks {
            copy: fault::copy,
            fill: fault::fill,
            load32: fault::load32,
            load64: fault::load64,
        };
        // SAFETY: the hooks do what their fields' documentation asks, and the fault handler that they rely on is
        // installed.
        unsafe { wasmtime::set_fault_safe_hooks(hooks) }
    };
    let done =
        DONE.get_or_init(|| install().map_err(|error: wasmtime::Error| format!("{error:#}")));
    done.clone().map_err(wasmtime::Error::msg)
}

/// The memory that a guest's module imports: `space`, as large as a wasm32 memory can be.
pub(super) fn shared_memory(
    engine: &Engine,
    space: &Arc<AddressSpace>,
) -> wasmtime::Result<SharedMemory> {
    let ty = MemoryType::shared(PAGES, PAGES);
    // SAFETY: the address space reserves its size and the engine's guard behind it, keeps both for as long as `space`
    // lives, and the memory owns a reference to it.
    unsafe { SharedMemory::from_reservation(engine, ty, space.base(), Arc::clone(space) as _) }
}

/// Maps compiled code.
pub(super) fn load(engine: &Engine, code: File) -> wasmtime::Result<Module> {
    // SAFETY: the file is an entry of the cache, which only this user can write, was written by lind in one piece and
    // has the digest that it was written with; entries are replaced, never changed.
    unsafe { Module::deserialize_open_file(engine, code) }
}

/// Loads code that this process has just compiled.
pub(super) fn load_bytes(engine: &Engine, code: &[u8]) -> wasmtime::Result<Module> {
    // SAFETY: the bytes are what `Engine::precompile_module` of this very engine returned.
    unsafe { Module::deserialize(engine, code) }
}
