//! Objects that rawposix itself keeps, such as pidfds and signalfds, and how they are waited for.
//!
//! poll(2), select(2) and epoll(7) are the host's: one host call waits for everything that a guest's call names, and an
//! epoll set of the guest's is one of the host's. An object of rawposix's own therefore has a [`Bell`], a descriptor of
//! the host's that is ready when the object is. Whoever changes the object lets its bells show that
//! ([`Bell::show`]), after the change and without a lock that comes later in the crate's order. So guests wait for such
//! objects together with the host's, nested sets and edges included, and nothing polls.
//!
//! A new kind of object implements [`OwnFile`] and is made a description by [`OpenFile::own_file`](super::OpenFile);
//! what all of them have in common (`O_NONBLOCK`, fstat(2), the errors of calls that make no sense) is done once for
//! all. A blocking call of such an object waits with [`Bell::wait`].

use std::any::Any;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rustix::event::{EventfdFlags, PollFd, PollFlags};

use super::watches::Watches;
use crate::fs::stat::VirtualStat;
use crate::thread::Thread;

/// What an object is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) read: bool,
    /// Not both of them may be false in an object that is ever ready for writing: no bell could show that.
    pub(crate) write: bool,
}

impl Ready {
    /// An object that can only be read.
    pub(crate) fn reading(read: bool) -> Self {
        Self { read, write: true }
    }

    /// The count of an eventfd that is ready for this.
    fn count(self) -> u64 {
        match (self.read, self.write) {
            (false, _) => 0,
            (true, true) => 1,
            // The greatest one, to which nothing can be added.
            (true, false) => u64::MAX - 1,
        }
    }
}

/// A descriptor of the host's that shows what an object is ready for: an eventfd.
#[derive(Debug)]
pub(crate) struct Bell {
    fd: OwnedFd,
    /// What it shows.
    shown: Mutex<Ready>,
}

impl Bell {
    /// A bell that shows "not ready for reading" and "ready for writing".
    pub(crate) fn new() -> Result<Self, Errno> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Self {
            fd: rustix::event::eventfd(0, flags)?,
            shown: Mutex::new(Ready::reading(false)),
        })
    }

    /// Shows what `now` says of the object. It is asked with the bell locked, so that the last of several changes at
    /// once is what the bell shows in the end. An object that stays ready for reading wakes those who wait for edges.
    pub(crate) fn show(&self, now: impl FnOnce() -> Ready) {
        let mut shown = self.shown.lock();
        let now = now();
        if *shown == now && !now.read {
            return;
        }
        if shown.read && *shown != now {
            // The count becomes 0. Neither this nor the write can block or fail otherwise.
            let _ = rustix::io::read(&self.fd, &mut [0; 8]);
        }
        if now.read {
            let _ = rustix::io::write(&self.fd, &now.count().to_ne_bytes());
        }
        *shown = now;
    }

    /// Waits until the object is ready for one of `events`. `EINTR` when a handler has to run or the thread has to end.
    pub(crate) fn wait(&self, thread: &Thread, events: PollFlags) -> Result<(), Errno> {
        let mut polled = [PollFd::new(&self.fd, events)];
        thread.block(|| rustix::event::poll(&mut polled, None).map_err(Errno::from))?;
        Ok(())
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Who waits for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watcher {
    /// The calling thread, in a call of its own.
    Thread,
    /// An epoll set: the threads of the calling process.
    Process,
}

/// An object that rawposix itself keeps.
pub(crate) trait OwnFile: Any + fmt::Debug + Send + Sync {
    /// What its link in `/proc/self/fd` says.
    fn label(&self) -> String;

    /// What `/proc/self/fdinfo` says of it in addition: lines.
    fn details(&self) -> String {
        String::new()
    }

    /// What it can ever be ready for.
    fn events(&self) -> PollFlags {
        PollFlags::IN
    }

    /// What fstat(2) says.
    fn stat(&self) -> VirtualStat {
        VirtualStat::nameless()
    }

    /// The bell that shows when it is ready for this watcher. Every description has bells of its own, since an epoll
    /// set tells descriptions apart by them.
    fn bell(&self, thread: &Thread, watcher: Watcher) -> Result<Arc<Bell>, Errno>;

    /// read(2) into a buffer of `room` bytes.
    fn read(&self, thread: &Thread, room: usize, wait: bool) -> Result<Vec<u8>, Errno> {
        let _ = (thread, room, wait);
        Err(Errno::EINVAL)
    }

    /// write(2).
    fn write(&self, thread: &Thread, bytes: &[u8], wait: bool) -> Result<usize, Errno> {
        let _ = (thread, bytes, wait);
        Err(Errno::EINVAL)
    }
}

/// An open file description of such an object.
#[derive(Debug)]
pub(crate) struct Own {
    pub(super) file: Arc<dyn OwnFile>,
    /// `O_NONBLOCK`.
    nonblocking: AtomicBool,
    watches: Watches,
}

impl Own {
    pub(super) fn new(file: Arc<dyn OwnFile>, nonblocking: bool) -> Self {
        Self {
            file,
            nonblocking: AtomicBool::new(nonblocking),
            watches: Watches::default(),
        }
    }

    /// The object.
    pub(crate) fn file(&self) -> &dyn OwnFile {
        &*self.file
    }

    /// The entries that epoll sets have of it.
    pub(crate) fn watches(&self) -> &Watches {
        &self.watches
    }

    /// Whether `O_NONBLOCK` is set.
    pub(crate) fn is_nonblocking(&self) -> bool {
        self.nonblocking.load(Ordering::Relaxed)
    }

    /// Sets or clears `O_NONBLOCK`.
    pub(crate) fn set_nonblocking(&self, value: bool) {
        self.nonblocking.store(value, Ordering::Relaxed);
    }
}
