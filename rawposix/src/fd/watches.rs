//! What epoll sets have of an open file description. See epoll(7), question 6.
//!
//! A set of Linux's tells its entries apart by description and descriptor, and keeps an entry until the description is
//! gone. The host knows the description by one descriptor, so a guest's second one of the same needs a copy of it. The
//! copies belong to the description: the host's file ends when the guest's does, and takes the entries along.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rustix::event::epoll::{self, EventData, EventFlags};

use super::{Bell, OpenFile};

/// The entries that epoll sets have of one description.
#[derive(Debug, Default)]
pub(crate) struct Watches(Mutex<Vec<Watch>>);

#[derive(Debug)]
struct Watch {
    set: Weak<OpenFile>,
    /// The guest's descriptor.
    fd: i32,
    source: Source,
}

/// By which of the host's descriptors a set knows what it waits for.
#[derive(Clone, Debug)]
enum Source {
    /// The description's own one.
    File,
    Bell(Arc<Bell>),
    Copy(Arc<OwnedFd>),
}

/// What a description is for an epoll set.
#[derive(Clone, Debug)]
pub(crate) enum Watched<'a> {
    /// A file of the host's.
    Host(BorrowedFd<'a>),
    /// An object of rawposix's own.
    Own(Arc<Bell>),
}

impl Watched<'_> {
    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Host(fd) => *fd,
            Self::Own(bell) => bell.as_fd(),
        }
    }

    fn source(&self) -> Source {
        match self {
            Self::Host(_) => Source::File,
            Self::Own(bell) => Source::Bell(Arc::clone(bell)),
        }
    }

    fn is(&self, source: &Source) -> bool {
        match (self, source) {
            (Self::Host(_), Source::File) => true,
            (Self::Own(own), Source::Bell(bell)) => Arc::ptr_eq(own, bell),
            _ => false,
        }
    }
}

/// What epoll_ctl(2) changes.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    Add(EventData, EventFlags),
    Modify(EventData, EventFlags),
    Delete,
}

impl Watches {
    /// The entries that one set has of this description: the host's descriptors and the guests'. `file` is the
    /// description's own descriptor of the host's.
    pub(crate) fn of(
        &self,
        set: &Arc<OpenFile>,
        file: Option<BorrowedFd<'_>>,
    ) -> Vec<(RawFd, i32)> {
        let watches = self.0.lock();
        let of_set = watches
            .iter()
            .filter(|watch| std::ptr::eq(watch.set.as_ptr(), Arc::as_ptr(set)));
        of_set
            .filter_map(|watch| {
                let host = match &watch.source {
                    Source::File => file?.as_raw_fd(),
                    Source::Bell(bell) => bell.as_fd().as_raw_fd(),
                    Source::Copy(copy) => copy.as_raw_fd(),
                };
                Some((host, watch.fd))
            })
            .collect()
    }

    /// Changes the entry that a set has of this description by the descriptor `fd`. `host` is the set as the host has it.
    pub(crate) fn change(
        &self,
        (set, host): (&Arc<OpenFile>, BorrowedFd<'_>),
        (fd, watched): (i32, Watched<'_>),
        change: Change,
    ) -> Result<(), Errno> {
        let mut watches = self.0.lock();
        let is_of_set = |watch: &Watch| std::ptr::eq(watch.set.as_ptr(), Arc::as_ptr(set));
        let known = watches
            .iter()
            .position(|watch| watch.fd == fd && is_of_set(watch));
        let known_source = known
            .and_then(|place| watches.get(place))
            .map(|watch| &watch.source);
        let is_taken = watches
            .iter()
            .any(|watch| is_of_set(watch) && watched.is(&watch.source));
        let source = match (known_source, change) {
            (Some(source), _) => source.clone(),
            (None, _) if !is_taken => watched.source(),
            (None, Change::Add(..)) => {
                let copy = rustix::io::fcntl_dupfd_cloexec(watched.fd(), 0);
                // As of a set that has all the entries it may have.
                Source::Copy(Arc::new(copy.map_err(|_| Errno::ENOSPC)?))
            }
            (None, Change::Modify(..) | Change::Delete) => return Err(Errno::ENOENT),
        };
        let target = match &source {
            Source::File => watched.fd(),
            Source::Bell(bell) => bell.as_fd(),
            Source::Copy(copy) => copy.as_fd(),
        };
        match change {
            Change::Add(data, events) => {
                epoll::add(host, target, data, events)?;
                watches.retain(|watch| watch.set.strong_count() > 0);
                let set = Arc::downgrade(set);
                watches.push(Watch { set, fd, source });
            }
            Change::Modify(data, events) => epoll::modify(host, target, data, events)?,
            Change::Delete => {
                epoll::delete(host, target)?;
                if let Some(place) = known {
                    watches.swap_remove(place);
                }
            }
        }
        Ok(())
    }
}
