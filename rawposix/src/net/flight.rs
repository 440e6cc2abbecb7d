//! What goes along with bytes of a stream: descriptors and credentials, see unix(7).

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::structs::Ucred;
use rustix::event::epoll;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::fd::OpenFile;

/// Most open files in flight in a sandbox, as RLIMIT_NOFILE bounds them for a user of Linux.
const MAX_FILES: usize = 4096;
/// How many lost ones are looked at at once.
const GONE: usize = 64;

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
    /// The host's epoll set in which the ends are that stay: it says which have hung up.
    ends: OnceLock<OwnedFd>,
}

#[derive(Debug, Default)]
struct Table {
    /// By the inode of the pipe whose one end travels.
    flights: HashMap<u64, Flight>,
    files: usize,
    /// How many flights there may be before those are looked for that nobody can receive any more.
    enough: usize,
    /// What is looked for by somebody, and whether there may be more of it than was seen.
    sweep: Sweep,
}

/// How far the search for lost flights is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sweep {
    #[default]
    Idle,
    Running,
    /// It has to look once more when it is through.
    Again,
}

#[derive(Debug)]
struct Flight {
    parcel: Parcel,
    /// The end that stays: it hangs up when no message holds the other.
    #[expect(dead_code, reason = "the host looks at it, in the epoll set")]
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
        let ends = match self.ends.get() {
            Some(ends) => ends,
            None => {
                let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
                self.ends.get_or_init(|| set)
            }
        };
        let mut table = self.table.lock();
        // That it hangs up is always told.
        let data = epoll::EventData::new_u64(inode);
        epoll::add(ends, &stays, data, epoll::EventFlags::empty())?;
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

    /// Gives up the parcels that nobody can receive any more. Closing what is in one may make that true of others, and
    /// sweeps in turn: sockets in flight in sockets in flight are given up one after the other, not one within the other.
    pub(crate) fn sweep(&self) {
        {
            let mut table = self.table.lock();
            if table.sweep != Sweep::Idle {
                table.sweep = Sweep::Again;
                return;
            }
            table.sweep = Sweep::Running;
        }
        loop {
            let lost = self.take_lost();
            if !lost.is_empty() {
                drop(lost);
                continue;
            }
            let mut table = self.table.lock();
            if table.sweep == Sweep::Running {
                table.sweep = Sweep::Idle;
                return;
            }
            table.sweep = Sweep::Running;
        }
    }

    /// Takes out parcels that nobody can receive any more; none if there are none.
    fn take_lost(&self) -> Vec<Parcel> {
        let mut lost = Vec::new();
        let Some(ends) = self.ends.get() else {
            return lost;
        };
        let mut gone: Vec<epoll::Event> = Vec::with_capacity(GONE);
        let mut table = self.table.lock();
        let room = rustix::buffer::spare_capacity(&mut gone);
        let _ = epoll::wait(ends, room, Some(&rustix::time::Timespec::default()));
        for event in &gone {
            // A copy: the host's structure is packed.
            if let Some(flight) = table.flights.remove(&{ event.data }.u64()) {
                table.files = table.files.saturating_sub(flight.parcel.files.len());
                lost.push(flight.parcel);
            }
        }
        table.enough = table.flights.len() * 2;
        lost
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
