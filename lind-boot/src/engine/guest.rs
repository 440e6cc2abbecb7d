//! A guest thread: a host thread with its own store and instance.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rawposix::{ExitStatus, Signal, Thread};
use wasmtime::native_frames::{self, Contexts, Frames, JumpBuffers, Snapshot};
use wasmtime::{
    Engine, Global, Instance, InstancePre, Linker, ResourceLimiter, Store, WasmBacktrace,
};

use super::asyncify::{self, Asyncify, Unwound};
use super::crash;
use super::jumps::Saved;
use super::machine::Machine;
use super::program::Freezing;
use super::{Program, TABLE_ENTRIES, imports, interruption, native};

/// The global of C's stack, which lind-cc's modules export.
pub(super) const STACK_POINTER: &str = "__stack_pointer";
/// Where a program begins.
const PROGRAM_START: &str = "_start";
/// Where a thread with a function of its own begins.
const THREAD_START: &str = "__wasm_thread_start";

/// The store's data: who makes a guest thread's calls, and what the engine keeps for it.
pub(super) struct Guest {
    pub(super) thread: Thread,
    pub(super) jumps: JumpBuffers<Saved>,
    pub(super) contexts: Contexts<Saved>,
    /// Contexts of the thread that have come to their end since those were last forgotten.
    pub(super) ended_contexts: usize,
    pub(super) stack_pointer: Option<Global>,
    pub(super) machine: Arc<Machine>,
    pub(super) program: Program,
    /// The imports of the process, for instances of its threads and children.
    pub(super) imports: Option<InstancePre<Guest>>,
    pub(super) instance: Option<Instance>,
    /// What the host has called, or would have to call to make the frames that it has.
    pub(super) start: Start,
    pub(super) asyncify: Asyncify,
    /// A defect of lind, which goes on where it can be caught.
    pub(super) panic: Option<Box<dyn Any + Send>>,
    /// The last fault was an access to a mapping without data behind it.
    pub(super) no_data: Arc<AtomicBool>,
    limits: Limits,
}

/// What the engine may allocate for a guest thread beside its memory.
struct Limits {
    /// Entries of tables that it has not got yet.
    entries: usize,
}

impl ResourceLimiter for Limits {
    /// Memories are address spaces, which have limits of their own.
    fn memory_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let left = self.entries.checked_sub(desired.saturating_sub(current));
        self.entries = left.unwrap_or(self.entries);
        Ok(left.is_some())
    }
}

/// Where a guest thread begins.
pub(super) enum Beginning {
    /// At a program's `_start`.
    Program,
    /// In a copy of its parent's frames, which return from clone(2) with 0.
    Frames {
        frozen: Frozen,
        /// What the host had called to make the frames.
        start: Start,
        jumps: JumpBuffers<Saved>,
        contexts: Contexts<Saved>,
        parent: Box<Parent>,
    },
    /// At a function of its own.
    Function {
        start: Start,
        contexts: Contexts<Saved>,
        parent: Box<Parent>,
    },
}

/// The frames of a thread that waits in a host function, made in the way that its module decides.
pub(super) enum Frozen {
    /// A copy of the host's stack.
    Native(Box<Frames>),
    /// What the guest's functions have saved of themselves.
    Asyncify(Unwound),
}

/// The export that the host has called to run a thread.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// A program's `_start`.
    Program,
    /// libc's for a function of its own, with `(function, argument, stack, thread pointer)`.
    Function([u32; 4]),
}

impl Start {
    fn call(self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<()> {
        match self {
            Self::Program => instance
                .get_typed_func::<(), ()>(&mut *store, PROGRAM_START)?
                .call(store, ()),
            Self::Function([function, argument, stack, tls]) => instance
                .get_typed_func::<(u32, u32, u32, u32), ()>(&mut *store, THREAD_START)?
                .call(store, (function, argument, stack, tls)),
        }
    }
}

/// What a new thread gets of the one that made it.
pub(super) struct Parent {
    pub(super) snapshot: Snapshot,
    pub(super) imports: InstancePre<Guest>,
}

/// Why a guest's frames are being unwound by the host.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    /// The thread has ended, with its process or before it.
    Thread(ExitStatus),
    /// The thread did in a host function what natively is a fault; the sentence says what.
    Fault(Signal, &'static str),
}

impl Ended {
    pub(super) fn fault(signal: Signal, what: &'static str) -> wasmtime::Error {
        Self::Fault(signal, what).into()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(ExitStatus::Exited(status)) => write!(f, "exited with status {status}"),
            Self::Thread(ExitStatus::Signaled(signal, _)) => write!(f, "killed by {signal}"),
            Self::Fault(signal, what) => write!(f, "{what} ({signal})"),
        }
    }
}

impl std::error::Error for Ended {}

/// Unwinds the frames of a program that is replaced by another one.
pub(super) struct Replaced(pub(super) Program);

impl fmt::Debug for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replaced")
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another program was executed")
    }
}

impl std::error::Error for Replaced {}

/// Gives an error an empty backtrace, so that the engine does not make one: with a program's debug information that
/// takes many times as long as all the rest of a process's life.
pub(super) fn without_backtrace(engine: &Engine, error: wasmtime::Error) -> wasmtime::Error {
    error.context(WasmBacktrace::force_capture(Store::new(engine, ())))
}

/// Runs a guest thread on the calling host thread, until it has ended.
pub(super) fn run(
    machine: &Arc<Machine>,
    mut program: Program,
    mut thread: Thread,
    mut beginning: Beginning,
) {
    thread.bind();
    let is_program = thread.is_program();
    let _running = is_program.then(|| machine.running());
    loop {
        let mut store = new_store(machine, &program, thread);
        let result = interruption::prepare(&mut store).and_then(|()| begin(&mut store, beginning));
        let Err(error) = result else {
            // It returned from its first function, which only a module can do that is not from C.
            let _ = store.data_mut().thread.syscall(EXIT_GROUP, [0; 6]);
            return;
        };
        if let Some(Replaced(next)) = error.downcast_ref() {
            // Its frames are gone; nothing is left of the old program but the thread.
            program = next.clone();
            thread = store.into_data().thread;
            beginning = Beginning::Program;
            continue;
        }
        match crash::settle(&mut store, &error) {
            Ok(Some(crash)) if is_program => machine.crashed(crash),
            Ok(_) => {}
            Err(failure) => machine.fail(is_program, failure),
        }
        return;
    }
}

/// exit_group(2).
const EXIT_GROUP: i32 = 94;

fn new_store(machine: &Arc<Machine>, program: &Program, thread: Thread) -> Store<Guest> {
    let guest = Guest {
        thread,
        jumps: JumpBuffers::default(),
        contexts: Contexts::default(),
        ended_contexts: 0,
        stack_pointer: None,
        machine: Arc::clone(machine),
        program: program.clone(),
        imports: None,
        instance: None,
        start: Start::Program,
        asyncify: Asyncify::default(),
        panic: None,
        no_data: Arc::default(),
        limits: Limits {
            entries: TABLE_ENTRIES,
        },
    };
    let mut store = Store::new(program.module.engine(), guest);
    store.limiter(|guest| &mut guest.limits);
    store
}

/// The imports of a process that begins with this store.
fn new_imports(store: &Store<Guest>) -> wasmtime::Result<InstancePre<Guest>> {
    let guest = store.data();
    let memory = native::shared_memory(store.engine(), guest.thread.memory())?;
    let mut linker = Linker::new(store.engine());
    linker.define(store, "env", "memory", memory)?;
    imports::define(&mut linker, guest.program.freezing)?;
    linker.instantiate_pre(&guest.program.module)
}

/// Makes the instance and runs it.
fn begin(store: &mut Store<Guest>, beginning: Beginning) -> wasmtime::Result<()> {
    match beginning {
        Beginning::Program => {
            let imports = new_imports(store)?;
            store.data_mut().imports = Some(imports.clone());
            // Instantiation runs guest code too: the module's start function.
            let instance = imports.instantiate(&mut *store)?;
            move_in(store, instance)?;
            run_from(store, &instance, Start::Program, None)
        }
        Beginning::Frames {
            frozen,
            start,
            jumps,
            contexts,
            parent,
        } => {
            let instance = inherit(store, *parent)?;
            store.data_mut().jumps = jumps;
            store.data_mut().contexts = contexts;
            run_from(store, &instance, start, Some(frozen))
        }
        Beginning::Function {
            start,
            contexts,
            parent,
        } => {
            let instance = inherit(store, *parent)?;
            store.data_mut().contexts = contexts;
            run_from(store, &instance, start, None)
        }
    }
}

/// Runs the thread: from its start, or from frames that began there.
fn run_from(
    store: &mut Store<Guest>,
    instance: &Instance,
    start: Start,
    frozen: Option<Frozen>,
) -> wasmtime::Result<()> {
    store.data_mut().start = start;
    let first = |store: &mut Store<Guest>| match frozen {
        None => start.call(store, instance),
        Some(Frozen::Native(frames)) => {
            native_frames::resume(store, instance, &frames, 0).map(drop)
        }
        Some(Frozen::Asyncify(unwound)) => {
            asyncify::rewind_child(store, unwound)?;
            start.call(store, instance)
        }
    };
    asyncify::call(store, first, |store| start.call(store, instance))
}

/// Makes an instance that is what the parent's was.
fn inherit(store: &mut Store<Guest>, parent: Parent) -> wasmtime::Result<Instance> {
    let instance = parent.snapshot.instantiate(&mut *store, &parent.imports)?;
    store.data_mut().imports = Some(parent.imports);
    move_in(store, instance)?;
    Ok(instance)
}

fn move_in(store: &mut Store<Guest>, instance: Instance) -> wasmtime::Result<()> {
    let stack_pointer = instance.get_global(&mut *store, STACK_POINTER);
    let guest = store.data_mut();
    guest.stack_pointer = stack_pointer;
    guest.instance = Some(instance);
    if let Some(global) = stack_pointer {
        // Another module's may be no integer; it then is no stack pointer.
        let _ = native_frames::set_stack_pointer(&mut *store, &global);
    }
    if store.data().program.freezing == Freezing::Asyncify {
        asyncify::prepare(store, &instance)?;
    }
    interruption::complete(store, &instance)
}
