//! Interprocess communication by names that are not files: shared memory, semaphores and message queues of System V,
//! and the message queues of POSIX.
//!
//! Ids and keys are private to the sandbox. Threads that wait do so by parking; whoever makes their wait end does for
//! them what they wait for, so that they are served in order, and leaves the result under the number of their wait. See
//! sysvipc(7), mq_overview(7).

pub(crate) mod message;
pub(crate) mod queue;
pub(crate) mod segment;
pub(crate) mod semaphore;
mod table;

pub(crate) use message::{MessageQueues, Pick, Receive};
pub(crate) use segment::{Attachable, Segments};
pub(crate) use semaphore::{Operation, SemaphoreSets};
pub(crate) use table::{Caller, Settings};

/// `IPC_PRIVATE`: the key that is never found.
pub(crate) const PRIVATE_KEY: i32 = 0;
/// `IPC_CREAT`, `IPC_EXCL` and `IPC_NOWAIT`.
pub(crate) const CREATE: u32 = 0o1000;
pub(crate) const EXCLUSIVE: u32 = 0o2000;
pub(crate) const NO_WAIT: u32 = 0o4000;
/// Permission to read and to write, for everybody: the wanted class is chosen later.
pub(crate) const READ: u32 = 0o444;
pub(crate) const WRITE: u32 = 0o222;

/// What the processes of a sandbox have made.
#[derive(Debug, Default)]
pub(crate) struct Ipc {
    pub(crate) semaphores: SemaphoreSets,
    pub(crate) messages: MessageQueues,
    pub(crate) segments: Segments,
    pub(crate) queues: queue::Queues,
}

/// Seconds since 1970, as the times in the structures are.
fn now() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec
}
