//! What a system call makes the calling thread do next.

use rawposix_abi::Signal;

use crate::clone::CloneRequest;
use crate::exec::ExecRequest;
#[cfg(doc)]
use crate::thread::Thread;

/// What the engine does after a call into the microvisor.
#[derive(Debug)]
#[must_use]
pub enum Control {
    /// Go on in the guest with this result (a value or a negated errno).
    Return(i32),
    /// The thread has ended, with its process or before it: unwind the guest's frames and never run them again.
    Exit(ExitStatus),
    /// Make a thread of the child ready, or fail: [`Thread::start_child`], [`Thread::fail_child`].
    Clone(Box<CloneRequest>),
    /// Load the program and take its place, or fail: [`Thread::execute`], [`Thread::fail_exec`].
    Exec(Box<ExecRequest>),
}

/// Whether the wait status of a killed process says that it dumped core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreDump {
    /// The signal's default action does not dump core.
    No,
    /// The signal's default action dumps core (lind writes no core file; only the status bit is set).
    Yes,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It called exit with this status.
    Exited(u8),
    /// A signal ended it.
    Signaled(Signal, CoreDump),
}

impl ExitStatus {
    /// The status a shell shows: the exit status, or 128 and the signal's number.
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Signaled(signal, _) => 128u8.saturating_add(signal.raw()),
        }
    }

    /// The word that wait4(2) stores for this status.
    pub fn wait_status(self) -> u32 {
        match self {
            Self::Exited(status) => u32::from(status) << 8,
            Self::Signaled(signal, CoreDump::No) => u32::from(signal.raw()),
            Self::Signaled(signal, CoreDump::Yes) => u32::from(signal.raw()) | 0x80,
        }
    }
}
