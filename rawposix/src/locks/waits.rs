//! Who waits for whose record locks, so that nobody waits for himself: `EDEADLK` of fcntl(2).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;

use super::LockedRange;
use crate::cage::{Pid, Process};
use crate::fs::dir::FileId;

/// The record locks that processes of a sandbox wait for.
#[derive(Debug, Default)]
pub(crate) struct LockWaits {
    waits: Mutex<HashMap<Pid, Wanted>>,
}

/// A part of a file that somebody wants to lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) file: FileId,
    pub(super) range: LockedRange,
}

impl Wanted {
    /// The processes that have locks in its way.
    fn owners<'p>(&self, processes: &'p [Arc<Process>]) -> impl Iterator<Item = Pid> + 'p {
        let wanted = *self;
        processes
            .iter()
            .filter(move |process| process.locks.is_in_the_way(&wanted))
            .map(|process| process.pid)
    }
}

/// A wait that has been noted. It ends when this is dropped.
pub(super) struct Waiting<'w> {
    waits: &'w LockWaits,
    pid: Pid,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waits.waits.lock().remove(&self.pid);
    }
}

impl LockWaits {
    /// Notes that `pid` is going to wait. `EDEADLK` if those that it waits for wait for it.
    pub(super) fn begin(
        &self,
        pid: Pid,
        wanted: Wanted,
        processes: &[Arc<Process>],
    ) -> Result<Waiting<'_>, Errno> {
        let mut waits = self.waits.lock();
        let mut seen = HashSet::new();
        let mut next: Vec<Pid> = wanted
            .owners(processes)
            .filter(|owner| *owner != pid)
            .collect();
        while let Some(owner) = next.pop() {
            if owner == pid {
                return Err(Errno::EDEADLK);
            }
            if !seen.insert(owner) {
                continue;
            }
            if let Some(theirs) = waits.get(&owner) {
                next.extend(theirs.owners(processes).filter(|other| *other != owner));
            }
        }
        waits.insert(pid, wanted);
        Ok(Waiting { waits: self, pid })
    }
}
