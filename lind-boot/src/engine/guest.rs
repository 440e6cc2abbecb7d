//! A guest thread: a host thread with its own store and instance.

use std::fmt;

use rawposix::{ExitStatus, Signal, Thread};
use wasmtime::native_frames::JumpBuffers;
use wasmtime::{Global, Linker, Store, StoreLimits, StoreLimitsBuilder};

use super::crash::{self, Crash};
use super::jumps::Saved;
use super::{Program, TABLE_ENTRIES, THREAD_STACK, imports, native};
use crate::failure::{Failure, reason};

/// The global of C's stack, which lind-cc's modules export.
pub(super) const STACK_POINTER: &str = "__stack_pointer";

/// The store's data: who makes a guest thread's calls, and what the engine keeps for it.
pub(super) struct Guest {
    pub(super) thread: Thread,
    pub(super) jumps: JumpBuffers<Saved>,
    pub(super) stack_pointer: Option<Global>,
    limits: StoreLimits,
}

/// Why a guest's frames are being unwound by the host.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    /// The process has ended.
    Process(ExitStatus),
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
            Self::Process(ExitStatus::Exited(status)) => write!(f, "exited with status {status}"),
            Self::Process(ExitStatus::Signaled(signal, _)) => write!(f, "killed by {signal}"),
            Self::Fault(signal, what) => write!(f, "{what} ({signal})"),
        }
    }
}

impl std::error::Error for Ended {}

impl Program {
    /// Runs the program's `_start` as `thread` on a host thread of its own and waits for the end of the process.
    ///
    /// # Errors
    /// lind could not run it. A crash of the guest is no error: it comes with the exit status.
    pub fn run(&self, thread: Thread) -> Result<(ExitStatus, Option<Crash>), Failure> {
        let failed = |error: std::io::Error| {
            Failure::lind(format!("cannot start a thread: {}", reason(&error)))
        };
        std::thread::scope(|scope| {
            std::thread::Builder::new()
                .name("guest".to_owned())
                .stack_size(THREAD_STACK)
                .spawn_scoped(scope, || self.run_here(thread))
                .map_err(failed)?
                .join()
                .map_err(|_| Failure::lind("a guest's thread panicked; this is a defect of lind"))?
        })
    }

    fn run_here(&self, thread: Thread) -> Result<(ExitStatus, Option<Crash>), Failure> {
        let engine = &self.engine.inner;
        let failed =
            |error: wasmtime::Error| Failure::lind(format!("cannot run the program: {error:#}"));
        let memory = native::shared_memory(engine, thread.memory()).map_err(failed)?;
        let limits = StoreLimitsBuilder::new()
            .table_elements(TABLE_ENTRIES)
            .build();
        let guest = Guest {
            thread,
            jumps: JumpBuffers::default(),
            stack_pointer: None,
            limits,
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.limits);
        let mut linker = Linker::new(engine);
        linker
            .define(&mut store, "env", "memory", memory)
            .map_err(failed)?;
        imports::define(&mut linker).map_err(failed)?;
        // Instantiation runs guest code too: the module's start function.
        let result = linker
            .instantiate(&mut store, &self.module)
            .and_then(|instance| {
                store.data_mut().stack_pointer = instance.get_global(&mut store, STACK_POINTER);
                instance
                    .get_typed_func::<(), ()>(&mut store, "_start")?
                    .call(&mut store, ())
            });
        match result {
            Ok(()) => Ok((ExitStatus::Exited(0), None)),
            Err(error) => crash::settle(&mut store, &error),
        }
    }
}
