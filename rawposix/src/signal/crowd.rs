//! Signals for many processes at once, and the forks that happen meanwhile.
//!
//! Whoever is in a group, or in the sandbox, when it is sent a signal gets it, a child that is being made as well. So no
//! process becomes known while such a signal is on its way, and a fork keeps those that its parent was sent since it
//! began: the child gets them when it becomes known. What was sent before that, the parent takes before it forks.

use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use rawposix_abi::{Errno, Signal, SignalSet};

use super::deliver::Due;
use super::info;
use super::state::Shared;
use crate::cage::{Pid, Process};
use crate::thread::Thread;

/// The order of new processes and of signals that many get.
#[derive(Debug, Default)]
pub(crate) struct Crowds(RwLock<()>);

impl Crowds {
    /// No process becomes known until this is dropped.
    pub(crate) fn sending(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read()
    }

    /// No signal is sent to many until this is dropped.
    pub(crate) fn publishing(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.write()
    }
}

/// A fork that has begun, as its parent's signals know it.
#[derive(Debug)]
pub(super) struct Fork {
    child: Pid,
    kept: SignalSet,
}

impl Shared {
    /// The process is sent a signal that others get as well.
    pub(super) fn keep_for_forks(&mut self, signal: Signal, replaced: SignalSet) {
        for fork in &mut self.forks {
            let others = fork.kept.bits() & !replaced.bits();
            fork.kept = SignalSet::from_bits(others).with(signal);
        }
    }
}

/// A fork that keeps the signals that its child is to get as well.
#[derive(Debug)]
pub(crate) struct Forking {
    parent: Arc<Process>,
    child: Pid,
}

impl Forking {
    /// Sends the child, which is known from now on, what was kept for it.
    pub(crate) fn tell(self, child: &Process) {
        let kept = {
            let shared = self.parent.signals.shared.lock();
            let mut forks = shared.forks.iter();
            forks
                .find(|fork| fork.child == self.child)
                .map_or(SignalSet::EMPTY, |fork| fork.kept)
        };
        for signal in (1..=64).filter_map(Signal::from_raw) {
            if kept.contains(signal) {
                // Only signals with values can fail.
                let _ = child.send(info::anonymous(signal), None);
            }
        }
    }
}

impl Drop for Forking {
    fn drop(&mut self) {
        let mut shared = self.parent.signals.shared.lock();
        shared.forks.retain(|fork| fork.child != self.child);
    }
}

impl Thread {
    /// The beginning of a fork. `EINTR` when there is a handler to run, or the thread has to end.
    pub(crate) fn begin_fork(&self, child: Pid) -> Result<Forking, Errno> {
        loop {
            if let Some(fork) = self.try_begin_fork(child) {
                return Ok(fork);
            }
            if self.consider() != Due::Nothing {
                return Err(Errno::EINTR);
            }
        }
    }

    fn try_begin_fork(&self, child: Pid) -> Option<Forking> {
        let mut shared = self.process.signals.shared.lock();
        let own = self.task.signals.lock();
        let pending = shared.pending.set().bits() | own.pending.set().bits();
        if pending & !own.mask.bits() != 0 || shared.stopped.is_some() {
            return None;
        }
        drop(own);
        shared.forks.push(Fork {
            child,
            kept: SignalSet::EMPTY,
        });
        Some(Forking {
            parent: Arc::clone(&self.process),
            child,
        })
    }
}
