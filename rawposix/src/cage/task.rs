//! What other threads of the sandbox can do with a guest thread.

use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::SignalSet;
use rawposix_interrupt::HostThread;

use super::Pid;
use crate::signal::TaskSignals;

/// The shared part of a guest thread.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) tid: Pid,
    /// The host thread that runs it.
    pub(crate) host: Arc<HostThread>,
    pub(crate) signals: Mutex<TaskSignals>,
    /// The name that PR_SET_NAME sets, at most 15 bytes.
    name: Mutex<Vec<u8>>,
}

impl Task {
    /// A new thread, which blocks these signals.
    pub(crate) fn new(tid: Pid, name: Vec<u8>, mask: SignalSet) -> Self {
        Self {
            tid,
            host: HostThread::new(),
            signals: Mutex::new(TaskSignals::new(mask)),
            name: Mutex::new(name),
        }
    }

    /// The same thread with another id and name, as execve(2) gives one.
    pub(crate) fn renamed(&self, tid: Pid, name: Vec<u8>) -> Self {
        Self {
            tid,
            host: Arc::clone(&self.host),
            signals: Mutex::new(std::mem::take(&mut self.signals.lock())),
            name: Mutex::new(name),
        }
    }

    /// Makes the thread look for signals soon.
    pub(crate) fn interrupt(&self) {
        self.host.interrupt();
    }

    /// Makes the thread look again for what it waits for, see [`Thread::wait_until`](crate::Thread).
    pub(crate) fn unpark(&self) {
        self.host.unpark();
    }

    /// The thread's name.
    pub(crate) fn name(&self) -> Vec<u8> {
        self.name.lock().clone()
    }

    /// Sets the thread's name; what is longer than 15 bytes is cut off.
    pub(crate) fn set_name(&self, name: &[u8]) {
        *self.name.lock() = name.get(..15).unwrap_or(name).to_vec();
    }
}
