//! What goes along with bytes of a stream: descriptors and credentials, see unix(7).

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::structs::Ucred;
use rustix::event::{PollFd, PollFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::fd::OpenFile;

/// Most open files in flight in a sandbox, as RLIMIT_NOFILE bounds them for a user of Linux.
const MAX_FILES: usize = 4096;

/// What goes along with a message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    pub(crate) credentials: Option<Ucred>,
    pub(crate) files: Vec<Arc<OpenFile>>,
}

impl Parcel {
    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.credentials.is_none() && self.files.is_empty()
    }
}

/// The parcels in flight.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// By the inode of the pipe whose one end travels.
    flights: HashMap<u64, Flight>,
    files: usize,
    /// How many flights there may be before those are looked for that nobody can receive any more.
    enough: usize,
}

#[derive(Debug)]
struct Flight {
    parcel: Parcel,
    /// The end that stays: it hangs up when no message holds the other.
    stays: OwnedFd,
}

impl Flights {
    /// Sends a parcel on its way: gives the descriptor that goes along with the bytes.
    /// `ETOOMANYREFS` when too many open files are in flight.
    pub(crate) fn launch(&self, parcel: Parcel) -> Result<OwnedFd, Errno> {
        if self.is_crowded(parcel.files.len()) {
            self.sweep();
            if self.is_crowded(parcel.files.len()) && !parcel.files.is_empty() {
                return Err(Errno::ETOOMANYREFS);
            }
        }
        let (stays, goes) = pipe_with(PipeFlags::CLOEXEC)?;
        let inode = rustix::fs::fstat(&stays)?.st_ino;
        let mut table = self.table.lock();
        table.files += parcel.files.len();
        let old = table.flights.insert(inode, Flight { parcel, stays });
        drop(table);
        drop(old);
        Ok(goes)
    }

    fn is_crowded(&self, more: usize) -> bool {
        let table = self.table.lock();
        table.files + more > MAX_FILES || table.flights.len() >= table.enough.max(64)
    }

    /// The parcel that a received descriptor stands for.
    pub(crate) fn land(&self, token: impl AsFd) -> Option<Parcel> {
        // The token stays open until its flight is taken: without it the flight would be swept away.
        let inode = rustix::fs::fstat(token.as_fd()).ok()?.st_ino;
        let mut table = self.table.lock();
        let flight = table.flights.remove(&inode)?;
        table.files = table.files.saturating_sub(flight.parcel.files.len());
        Some(flight.parcel)
    }

    /// The parcel that stays with a message that was only looked at.
    pub(crate) fn look(&self, token: impl AsFd) -> Option<Parcel> {
        let inode = rustix::fs::fstat(token.as_fd()).ok()?.st_ino;
        let table = self.table.lock();
        table
            .flights
            .get(&inode)
            .map(|flight| flight.parcel.clone())
    }

    /// Gives up the parcels that nobody can receive any more. Closing what is in one may make that true of others.
    pub(crate) fn sweep(&self) {
        loop {
            let mut lost = Vec::new();
            {
                let mut table = self.table.lock();
                let Table { flights, files, .. } = &mut *table;
                flights.retain(|_, flight| {
                    let gone = has_hung_up(&flight.stays);
                    if gone {
                        let parcel = std::mem::take(&mut flight.parcel);
                        *files = files.saturating_sub(parcel.files.len());
                        lost.push(parcel);
                    }
                    !gone
                });
                table.enough = table.flights.len() * 2;
            }
            if lost.is_empty() {
                return;
            }
        }
    }

    /// Gives up all parcels, at the end of the sandbox: sockets may be in flight to themselves.
    pub(crate) fn clear(&self) {
        let flights = std::mem::take(&mut self.table.lock().flights);
        drop(flights);
    }

    /// Whether nothing is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.table.lock().flights.is_empty()
    }
}

fn has_hung_up(end: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(end, PollFlags::empty())];
    let now = rustix::time::Timespec::default();
    let polled = rustix::event::poll(&mut fds, Some(&now));
    polled.is_ok() && fds.iter().any(|fd| fd.revents().contains(PollFlags::HUP))
}
