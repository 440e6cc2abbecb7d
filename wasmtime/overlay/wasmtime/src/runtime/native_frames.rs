//! Copying suspended Wasm frames: what `fork` and `setjmp` need.
//!
//! While Wasm code waits for a host function, its frames stand on the host's
//! stack. [`capture`] copies them; [`resume`] puts the copy on the stack of any
//! thread, under an instance of the same module in another store, and goes on
//! as if the host function had returned. [`JumpBuffers`] does the same with a
//! single frame of the same stack, for functions that return twice, and [`Contexts`]
//! with all frames, for coroutines. [`Snapshot`] makes the instance for the copy: it has
//! the globals, tables and segments that the first one has by then.
//!
//! Nothing in the module is instrumented. It is compiled with
//! [`Config::native_frames`](crate::Config::native_frames), by which
//!
//! * no frame holds a pointer to its instance across a call: all code has it in
//!   one register, which is the same in all frames;
//! * a trampoline from Wasm to the host saves all callee-saved registers of the
//!   Wasm caller in its own frame, at a place that [`self_test`] checks.
//!
//! Frames of several modules at once, of more than one activation of a store
//! (host, Wasm, host, Wasm), and of a module's start function cannot be copied:
//! these are errors. Nothing that a module does makes the functions here panic
//! or leaves the host's stack damaged.

mod context;
mod frames;
mod interrupt;
mod jump;
mod pointers;
mod regions;
mod self_test;
mod snapshot;
mod stack;
mod state;

pub use self::context::{ContextName, Contexts, Kept};
pub use self::frames::{Frames, capture, is_interrupted, resume};
pub use self::interrupt::{
    BulkFault, Interrupted, SIGNAL_STACK, interrupted, set_bulk_fault_handler, set_interruptible,
    set_signal_function,
};
pub(crate) use self::interrupt::{RETRY_WORDS, retry_after_fault};
pub use self::jump::JumpBuffers;
pub(crate) use self::pointers::check_imports;
pub use self::self_test::self_test;
pub use self::snapshot::{Snapshot, with_memory};
pub use self::state::{set_stack_pointer, stack_pointer};
pub(crate) use self::state::StoreState;
