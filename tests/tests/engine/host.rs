//! A small host: guest memories, and imports that record and replay.

use std::sync::{Arc, OnceLock};

use rawposix_memory::{AddressSpace, MapFlags, MapRequest, Protection};
use wasmtime::native_frames::{ContextName, Contexts, Frames, JumpBuffers, Snapshot};
use wasmtime::{
    Caller, Config, Engine, Error, FaultSafeHooks, Instance, Linker, MemoryType, Module, Result,
    SharedMemory, Store,
};

pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_threads(true)
        .shared_memory(true)
        .table_lazy_init(false)
        .native_frames(true)
        .memory_through_gs(true)
        .relaxed_calls(true);
    config
}

/// The engine of most tests; its hooks are rawposix's.
#[expect(clippy::panic, reason = "no test can run without an engine")]
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let engine = install_hooks().and_then(|()| Engine::new(&config()));
        engine.unwrap_or_else(|error| panic!("{error:#}"))
    })
}

fn install_hooks() -> Result<()> {
    rawposix_memory::fault::install()?;
    let hooks = FaultSafeHooks {
        copy: rawposix_memory::fault::copy,
        fill: rawposix_memory::fault::fill,
        load32: rawposix_memory::fault::load32,
        load64: rawposix_memory::fault::load64,
    };
    // SAFETY: rawposix's functions do what the hooks say, and their handler is installed.
    unsafe { wasmtime::set_fault_safe_hooks(hooks) }
}

/// Compiles one of the modules in tests/wat.
pub(crate) fn module(text: &str) -> Result<Module> {
    Module::new(engine(), wat::parse_str(text)?)
}

/// A guest's address space, with one mapped area at [`MAPPED`].
pub(crate) struct Memory {
    pub(crate) space: Arc<AddressSpace>,
    pub(crate) shared: SharedMemory,
}

/// The mapped area: 64 KiB; before and after it nothing is mapped.
pub(crate) const MAPPED: u32 = 0x2_0000;
pub(crate) const MAPPED_END: u32 = MAPPED + 0x1_0000;

impl Memory {
    pub(crate) fn new(engine: &Engine) -> Result<Self> {
        let space = AddressSpace::new()?;
        let ty = MemoryType::shared(65536, 65536);
        // SAFETY: the space reserves 4 GiB and the guard, and the memory owns a reference to it.
        let shared = unsafe {
            SharedMemory::from_reservation(engine, ty, space.base(), Arc::clone(&space) as _)?
        };
        let memory = Self { space, shared };
        memory.map(
            MAPPED,
            MAPPED_END - MAPPED,
            Protection::READ | Protection::WRITE,
        )?;
        Ok(memory)
    }

    /// Maps zeroes over what is there.
    pub(crate) fn map(&self, addr: u32, len: u32, prot: Protection) -> Result<()> {
        let flags = MapFlags::PRIVATE | MapFlags::ANONYMOUS | MapFlags::FIXED;
        let request = MapRequest {
            addr,
            len,
            prot,
            flags,
            file: None,
        };
        match self.space.mmap(request) {
            Ok(_) => Ok(()),
            Err(errno) => Err(Error::msg(format!("mmap: {errno:?}"))),
        }
    }
}

/// What the imports below leave in the store.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) captured: Vec<Frames>,
    pub(crate) jumps: JumpBuffers<u32>,
    pub(crate) contexts: Contexts<u32>,
    /// The guest's names of contexts.
    pub(crate) names: Vec<ContextName>,
    /// The start function, if it is not `start`.
    pub(crate) start: Option<&'static str>,
    /// What the child of a fork has of the contexts and the instance.
    pub(crate) fork_contexts: bool,
    pub(crate) forked: Option<(Contexts<u32>, Vec<ContextName>)>,
    pub(crate) snapshot: Option<Snapshot>,
    /// The data of the place that was jumped to last.
    pub(crate) jumped: Option<u32>,
    /// The instance, for those who snapshot it.
    pub(crate) instance: Option<Instance>,
    /// Its address space, for those who reach into it.
    pub(crate) space: Option<Arc<AddressSpace>>,
    /// Poison the dead words of captured frames.
    pub(crate) poison: bool,
}

/// Captures the caller; the captured frames go on with another value.
fn fork(mut caller: Caller<'_, State>) -> Result<i32> {
    let mut frames = wasmtime::native_frames::capture(&mut caller)?;
    if caller.data().poison {
        let ranges = Frames::foreign_ranges(&mut caller)?;
        frames.poison(&ranges);
    }
    caller.data_mut().captured.push(frames);
    if caller.data().fork_contexts {
        let state = caller.data_mut();
        state.forked = Some((state.contexts.fork(), state.names.clone()));
        if let Some(instance) = state.instance {
            let snapshot = Snapshot::take(&caller, &instance)?;
            caller.data_mut().snapshot = Some(snapshot);
        }
    }
    Ok(1)
}

fn setjmp(mut caller: Caller<'_, State>, data: i32) -> Result<i32> {
    let mut jumps = std::mem::take(&mut caller.data_mut().jumps);
    let id = jumps.setjmp(&mut caller, data.cast_unsigned());
    caller.data_mut().jumps = jumps;
    Ok(id?.cast_signed())
}

fn longjmp(mut caller: Caller<'_, State>, id: i32, value: i32) -> Result<i32> {
    let mut jumps = std::mem::take(&mut caller.data_mut().jumps);
    let jumped = jumps.longjmp(&mut caller, id.cast_unsigned()).copied();
    let state = caller.data_mut();
    state.jumps = jumps;
    state.jumped = Some(jumped?);
    if value < 0 {
        return Err(Error::msg("told to fail after the jump"));
    }
    Ok(value)
}

/// The imports that the modules in tests/wat use.
pub(crate) fn linker(store: &mut Store<State>, memory: &Memory) -> Result<Linker<State>> {
    let mut linker = Linker::new(store.engine());
    linker.define(&mut *store, "env", "memory", memory.shared.clone())?;
    linker.func_wrap("host", "fork", fork)?;
    linker.func_wrap("host", "setjmp", setjmp)?;
    linker.func_wrap("host", "longjmp", longjmp)?;
    linker.func_wrap(
        "host",
        "fork7",
        |caller: Caller<'_, State>, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32| {
            fork(caller)
        },
    )?;
    linker.func_wrap(
        "host",
        "nested",
        |mut caller: Caller<'_, State>| -> Result<i32> {
            let Some(inner) = caller
                .get_export("inner")
                .and_then(wasmtime::Extern::into_func)
            else {
                return Err(Error::msg("no export `inner`"));
            };
            inner.typed::<(), i32>(&caller)?.call(&mut caller, ())
        },
    )?;
    Ok(linker)
}

/// A store with an instance of `module` on a memory of its own.
pub(crate) fn instantiate(module: &Module) -> Result<(Store<State>, Instance, Memory)> {
    let memory = Memory::new(module.engine())?;
    let mut store = Store::new(module.engine(), State::default());
    let instance = linker(&mut store, &memory)?.instantiate(&mut store, module)?;
    Ok((store, instance, memory))
}

/// Calls an export of one integer parameter and one integer result.
pub(crate) fn call(
    store: &mut Store<State>,
    instance: &Instance,
    name: &str,
    arg: i32,
) -> Result<i32> {
    instance
        .get_typed_func::<i32, i32>(&mut *store, name)?
        .call(store, arg)
}
