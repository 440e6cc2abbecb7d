//! What other threads of the sandbox can do with a guest thread.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use parking_lot::Mutex;
use rawposix_abi::SignalSet;
use rawposix_interrupt::HostThread;
use rustix::thread::CpuSet;

use super::Pid;
use super::usage::{Transfers, Used};
use crate::seccomp::Seccomp;
use crate::signal::TaskSignals;

/// The shared part of a guest thread.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) tid: Pid,
    /// The host thread that runs it.
    pub(crate) host: Arc<HostThread>,
    pub(crate) signals: Mutex<TaskSignals>,
    pub(crate) scheduling: Mutex<Scheduling>,
    /// The list of set_robust_list(2).
    pub(crate) robust_list: AtomicU32,
    /// What it has read and written.
    pub(crate) transfers: Transfers,
    /// The filters of its calls.
    pub(crate) seccomp: Seccomp,
    /// The name that PR_SET_NAME sets, at most 15 bytes.
    name: Mutex<Vec<u8>>,
}

/// What the scheduling calls keep of a thread. See sched(7).
#[derive(Clone, Debug, Default)]
pub(crate) struct Scheduling {
    pub(crate) nice: i32,
    pub(crate) policy: u32,
    /// `SCHED_RESET_ON_FORK`.
    pub(crate) resets_on_fork: bool,
    /// The processors that sched_setaffinity(2) confines it to.
    pub(crate) affinity: Option<CpuSet>,
    /// They have changed, and its host thread has not noticed yet.
    pub(crate) has_moved: bool,
    /// The class and level that ioprio_set(2) stored; 0 for none.
    pub(crate) io_priority: u32,
}

impl Scheduling {
    /// What a child gets.
    pub(crate) fn child(&self) -> Self {
        let mut child = self.clone();
        if child.resets_on_fork {
            // Real-time policies would go as well, but nobody has one.
            child.nice = child.nice.max(0);
            child.resets_on_fork = false;
        }
        child
    }
}

impl Task {
    /// A new thread, which blocks these signals.
    pub(crate) fn new(tid: Pid, name: Vec<u8>, mask: SignalSet) -> Self {
        Self {
            tid,
            host: HostThread::new(),
            signals: Mutex::new(TaskSignals::new(mask)),
            scheduling: Mutex::default(),
            robust_list: AtomicU32::new(0),
            transfers: Transfers::default(),
            seccomp: Seccomp::default(),
            name: Mutex::new(name),
        }
    }

    /// The same thread with another id and name, as execve(2) gives one.
    pub(crate) fn renamed(&self, tid: Pid, name: Vec<u8>) -> Self {
        Self {
            tid,
            host: Arc::clone(&self.host),
            signals: Mutex::new(std::mem::take(&mut self.signals.lock())),
            scheduling: Mutex::new(self.scheduling.lock().clone()),
            robust_list: AtomicU32::new(0),
            transfers: Transfers::from(self.transfers.moved()),
            seccomp: self.seccomp.inherited(),
            name: Mutex::new(name),
        }
    }

    /// A thread that this one makes: with its name, its filters, and what was set for its scheduling.
    pub(crate) fn child(&self, tid: Pid, mask: SignalSet) -> Self {
        Self {
            scheduling: Mutex::new(self.scheduling.lock().child()),
            seccomp: self.seccomp.inherited(),
            ..Self::new(tid, self.name(), mask)
        }
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> Used {
        Used {
            user: self.host.processor_time(),
            moved: self.transfers.moved(),
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

    /// The signals that are pending for the thread alone, and those that it blocks.
    pub(crate) fn signal_sets(&self) -> (SignalSet, SignalSet) {
        let signals = self.signals.lock();
        (signals.own_pending(), signals.mask)
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
