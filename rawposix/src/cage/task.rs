//! What other threads of the sandbox can do with a guest thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::Pid;

/// The shared part of a guest thread.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) tid: Pid,
    /// There is something that the thread has to look at before it goes on in the guest.
    attention: AtomicBool,
    /// The host thread that runs it, once there is one.
    host: Mutex<Option<std::thread::Thread>>,
    /// The name that PR_SET_NAME sets, at most 15 bytes.
    name: Mutex<Vec<u8>>,
}

impl Task {
    pub(crate) fn new(tid: Pid, name: Vec<u8>) -> Self {
        Self {
            tid,
            attention: AtomicBool::new(false),
            host: Mutex::new(None),
            name: Mutex::new(name),
        }
    }

    /// Says that the calling host thread runs the guest thread from now on.
    pub(crate) fn bind(&self) {
        *self.host.lock() = Some(std::thread::current());
    }

    /// Makes the thread look at what has changed: before it returns to the guest, or at once if it waits.
    pub(crate) fn interrupt(&self) {
        self.attention.store(true, Ordering::SeqCst);
        self.unpark();
    }

    /// Ends a [`park`](Self::park), the present one or the next.
    pub(crate) fn unpark(&self) {
        if let Some(host) = &*self.host.lock() {
            host.unpark();
        }
    }

    /// Waits for an [`unpark`](Self::unpark), at most until `end`. It may also end for no reason.
    pub(crate) fn park(end: Option<Instant>) {
        match end {
            None => std::thread::park(),
            Some(end) => std::thread::park_timeout(end.saturating_duration_since(Instant::now())),
        }
    }

    /// Whether there is something to look at.
    pub(crate) fn has_attention(&self) -> bool {
        self.attention.load(Ordering::SeqCst)
    }

    /// Starts looking: what comes from now on sets the mark again.
    pub(crate) fn take_attention(&self) -> bool {
        self.attention.swap(false, Ordering::SeqCst)
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
