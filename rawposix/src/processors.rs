//! Which processors threads run on. See sched_setaffinity(2), cpuset(7).
//!
//! A guest's thread is one host thread, which takes the mask over itself: when it is set, or soon after when another
//! thread sets it. Host threads serve one guest's thread after the other, so each takes over its mask, or all processors,
//! when it begins; that is left out until a guest first asks for a mask.

use std::sync::atomic::{AtomicBool, Ordering};

use rawposix_abi::Errno;
use rustix::thread::CpuSet;

use crate::cage::Task;

/// The processors of a sandbox.
#[derive(Debug)]
pub(crate) struct Processors {
    /// Those that lind may use.
    all: CpuSet,
    /// Whether some thread was ever confined to others than all.
    are_used: AtomicBool,
}

impl Processors {
    /// All that the calling thread may use now.
    pub(crate) fn of_host() -> Self {
        Self {
            all: rustix::thread::sched_getaffinity(None).unwrap_or_default(),
            are_used: AtomicBool::new(false),
        }
    }

    /// The processors of a task; all for process 1.
    pub(crate) fn of(&self, task: Option<&Task>) -> CpuSet {
        let confined = task.and_then(|task| task.scheduling.lock().affinity);
        confined.unwrap_or(self.all)
    }

    /// Confines a task to those of `wanted` that there are. `EINVAL` when there is none.
    pub(crate) fn confine(&self, task: &Task, wanted: &CpuSet) -> Result<(), Errno> {
        let mut allowed = CpuSet::new();
        for number in (0..CpuSet::MAX_CPU).filter(|&n| wanted.is_set(n) && self.all.is_set(n)) {
            allowed.set(number);
        }
        if allowed.count() == 0 {
            return Err(Errno::EINVAL);
        }
        self.are_used.store(true, Ordering::Relaxed);
        let mut scheduling = task.scheduling.lock();
        scheduling.affinity = Some(allowed);
        scheduling.has_moved = true;
        Ok(())
    }

    /// Lets the calling host thread, which runs the task, use the task's processors.
    pub(crate) fn begin(&self, task: &Task) {
        if self.are_used.load(Ordering::Relaxed) {
            self.apply(task);
        }
    }

    /// The same, if they have changed.
    pub(crate) fn keep_up(&self, task: &Task) {
        if self.are_used.load(Ordering::Relaxed) && task.scheduling.lock().has_moved {
            self.apply(task);
        }
    }

    fn apply(&self, task: &Task) {
        let set = {
            let mut scheduling = task.scheduling.lock();
            scheduling.has_moved = false;
            scheduling.affinity.unwrap_or(self.all)
        };
        // A processor may have been taken from lind meanwhile; the guest then runs wherever it can.
        let _ = rustix::thread::sched_setaffinity(None, &set);
    }
}
