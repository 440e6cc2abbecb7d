//! The only place that joins Wasmtime and rawposix.
//!
//! [`Engine`] compiles and loads programs; [`Program::run`] gives one guest thread a host thread, a store and an
//! instance, and answers its imports. The caller of a system call is the store's data, a [`rawposix::Thread`], and
//! nothing that the guest passes.
//!
//! | file | what |
//! |---|---|
//! | `program.rs` | compiling, loading from the cache, what a module may import |
//! | `machine.rs` | a run of lind: its host threads, its loaded programs, the program's end |
//! | `workers.rs` | host threads for guest threads |
//! | `guest.rs` | a guest thread's store and its run, from one program to the next |
//! | `children.rs` | the engine's part of clone and exec |
//! | `asyncify.rs` | freezing threads of modules that unwind themselves; for others `wasmtime::native_frames` does it |
//! | `checks.rs` | what makes mistakes of fork show, for tests: `LIND_FORK_CHECKS` |
//! | `imports.rs` | the functions of module `lind` |
//! | `jumps.rs` | setjmp and longjmp |
//! | `contexts.rs` | getcontext, setcontext, makecontext, swapcontext |
//! | `crash.rs` | traps as signals, and what is printed about them |
//! | `interruption.rs` | signals of the host: guests that are interrupted, stopped or ended, and faults of their code |
//! | `native.rs` | other unsafe code: compiled code from a file, the guest's memory, the fault-safe hooks |

mod asyncify;
mod checks;
mod children;
mod contexts;
mod crash;
mod guest;
mod imports;
mod interruption;
mod jumps;
mod machine;
mod native;
mod program;
mod workers;

pub use crash::Crash;
pub use guest::Ended;
pub use program::{Loaded, Program};

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use wasmtime::{Config, OptLevel, WasmBacktraceDetails};

use crate::failure::Failure;

/// Native stack that guest code may use; past it the guest gets SIGSEGV, as past `ulimit -s` natively.
const GUEST_STACK: usize = 8 << 20;
/// Stack of a guest's host thread: guest code's share, and as much for the host functions that it calls.
const THREAD_STACK: usize = GUEST_STACK + (8 << 20);
/// Frames that a crash tells about; recursions need many.
const BACKTRACE_FRAMES: usize = 1000;
/// Entries that the tables of a guest thread may have, together far more than the largest C program has functions.
const TABLE_ENTRIES: usize = 1 << 20;

/// A compiler and loader of programs.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    /// For modules whose frames cannot be copied.
    staying: Arc<OnceLock<wasmtime::Engine>>,
}

impl Engine {
    /// Makes an engine for this machine's processor.
    ///
    /// # Errors
    /// The processor or the system lacks something that compiled code needs.
    pub fn new() -> Result<Self, Failure> {
        let failed =
            |error: wasmtime::Error| Failure::lind(format!("cannot start the engine: {error:#}"));
        native::install_fault_hooks().map_err(failed)?;
        interruption::install();
        let inner = wasmtime::Engine::new(&config()).map_err(failed)?;
        Ok(Self {
            inner,
            staying: Arc::default(),
        })
    }

    /// The engine for modules whose frames have to stay where they are: functions with references or with many results.
    fn staying(&self) -> wasmtime::Result<&wasmtime::Engine> {
        if let Some(engine) = self.staying.get() {
            return Ok(engine);
        }
        let engine = wasmtime::Engine::new(config().native_frames_stay(true))?;
        Ok(self.staying.get_or_init(|| engine))
    }
}

/// The engine's settings. All that change compiled code are part of a cache entry's key.
fn config() -> Config {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .native_frames(true)
        .memory_through_gs(true)
        .relaxed_calls(true)
        // Every access is checked by the reservation around it, none by code.
        .memory_reservation(rawposix_memory::AddressSpace::SIZE)
        .memory_guard_size(rawposix_memory::AddressSpace::GUARD)
        .memory_may_move(false)
        .signals_based_traps(true)
        // Lazy tables cost a check at every indirect call.
        .table_lazy_init(false)
        .max_wasm_stack(GUEST_STACK)
        // Not used, but never less than the above.
        .async_stack_size(GUEST_STACK)
        // Unwind tables are for native debuggers only and are registered at every load.
        .native_unwind_info(false)
        .memory_init_cow(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES));
    // What lind-cc emits, and nothing else.
    config
        .wasm_threads(true)
        .shared_memory(true)
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_tail_call(true)
        .wasm_extended_const(true)
        .wasm_multi_memory(false)
        .wasm_memory64(false);
    config
}
