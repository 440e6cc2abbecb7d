//! Waiting for descriptors. See poll(2), select(2).

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use rawposix_abi::Errno;
use rawposix_abi::structs::{Pollfd, Timespec};
use rawposix_memory::{GuestPtr, GuestSlice};
use rustix::event::{PollFd, PollFlags};

use super::args::{In, InOut, Int, Len, PollFds, Ptr, Uint};
use super::signal::set_mask_for_call;
use super::time::{checked, timeout, to_guest};
use crate::fd::{Bell, Object, OpenFile, Watcher};
use crate::thread::Thread;

/// Events of a descriptor that always is ready, such as a directory.
const ALWAYS: PollFlags = PollFlags::IN
    .union(PollFlags::OUT)
    .union(PollFlags::RDNORM)
    .union(PollFlags::WRNORM);

/// What is waited for on one descriptor.
struct Watch {
    file: Option<Arc<OpenFile>>,
    /// What stands for an object of rawposix's own.
    bell: Option<Arc<Bell>>,
    events: PollFlags,
    ready: PollFlags,
}

impl Watch {
    /// The host's descriptor; `None` for one that the host need not be asked about.
    fn host(&self) -> Option<BorrowedFd<'_>> {
        if let Some(bell) = &self.bell {
            return Some(std::os::fd::AsFd::as_fd(&**bell));
        }
        match self.file.as_ref()?.object() {
            Object::Host(host) => Some(std::os::fd::AsFd::as_fd(&host.fd)),
            _ => None,
        }
    }
}

/// Waits until a descriptor is ready or the time is over; gives the time that was left.
fn wait(
    thread: &Thread,
    watches: &mut [Watch],
    limit: Option<rustix::time::Timespec>,
) -> Result<Option<rustix::time::Timespec>, Errno> {
    let started = Instant::now();
    let left = |limit| left(limit, started);
    let settled = watches.iter().any(|watch| !watch.ready.is_empty());
    let mut places = Vec::new();
    let mut fds = Vec::new();
    for (place, watch) in watches.iter().enumerate() {
        if let Some(host) = watch.host() {
            places.push(place);
            fds.push(PollFd::from_borrowed_fd(host, watch.events));
        }
    }
    let none = rustix::time::Timespec::default();
    thread.block(|| {
        let limit = if settled { Some(none) } else { limit.map(left) };
        rustix::event::poll(&mut fds, limit.as_ref()).map_err(Errno::from)
    })?;
    let results: Vec<_> = fds.iter().map(PollFd::revents).collect();
    for (place, ready) in places.into_iter().zip(results) {
        if let Some(watch) = watches.get_mut(place) {
            watch.ready = ready;
        }
    }
    Ok(limit.map(left))
}

/// What is left of a time.
fn left(limit: rustix::time::Timespec, started: Instant) -> rustix::time::Timespec {
    let total = std::time::Duration::new(
        limit.tv_sec.cast_unsigned(),
        u32::try_from(limit.tv_nsec).unwrap_or(0),
    );
    rustix::time::Timespec::try_from(total.saturating_sub(started.elapsed())).unwrap_or_default()
}

/// A watch for a descriptor. `closed` is what a closed one is ready for.
fn watch(
    thread: &Thread,
    file: Option<Arc<OpenFile>>,
    mut events: PollFlags,
    closed: PollFlags,
) -> Result<Watch, Errno> {
    let file = file.filter(|file| !file.is_path());
    let bell = match file.as_ref().map(|file| file.object()) {
        Some(Object::Own(own)) => {
            events &= own.file().events();
            Some(own.file().bell(thread, Watcher::Thread)?)
        }
        _ => None,
    };
    let ready = match &file {
        None => closed,
        Some(file) if matches!(file.object(), Object::Dir(_)) => ALWAYS & events,
        Some(_) => PollFlags::empty(),
    };
    Ok(Watch {
        file,
        bell,
        events,
        ready,
    })
}

pub(super) fn ppoll_time64(
    thread: &mut Thread,
    fds: PollFds,
    count: Uint,
    limit: In<Timespec>,
    sigmask: In<u64>,
    size: Len,
) -> Result<usize, Errno> {
    set_mask_for_call(thread, sigmask, size)?;
    let limit = timeout(thread, limit)?;
    if usize::try_from(count.0).map_or(true, |n| n > thread.process.descriptor_limit()) {
        return Err(Errno::EINVAL);
    }
    let start = GuestPtr::<Pollfd>::new(fds.0);
    let mut polled = thread
        .memory()
        .read_slice(GuestSlice::new(start, count.0))?;
    let files = thread.process.with_files(|table| {
        let files = polled.iter().map(|poll| table.get(poll.fd).ok().cloned());
        files.collect::<Vec<_>>()
    });
    match all_of_host(&polled, &files) {
        Some(fds) => wait_for_host(thread, fds, limit, &mut polled)?,
        None => wait_for_all(thread, files, limit, &mut polled)?,
    }
    thread.memory().write_slice(start, &polled)?;
    Ok(polled.iter().filter(|poll| poll.revents != 0).count())
}

/// The host's descriptors, if it keeps all that are waited for.
fn all_of_host<'a>(
    polled: &[Pollfd],
    files: &'a [Option<Arc<OpenFile>>],
) -> Option<Vec<PollFd<'a>>> {
    let mut fds = Vec::with_capacity(files.len());
    for (poll, file) in polled.iter().zip(files) {
        let Object::Host(host) = file.as_ref()?.object() else {
            return None;
        };
        let events = PollFlags::from_bits_retain(poll.events);
        fds.push(PollFd::new(&host.fd, events));
    }
    Some(fds)
}

fn wait_for_host(
    thread: &Thread,
    mut fds: Vec<PollFd<'_>>,
    limit: Option<rustix::time::Timespec>,
    polled: &mut [Pollfd],
) -> Result<(), Errno> {
    let started = limit.is_some().then(Instant::now);
    thread.block(|| {
        let limit = limit
            .zip(started)
            .map(|(limit, started)| left(limit, started));
        rustix::event::poll(&mut fds, limit.as_ref()).map_err(Errno::from)
    })?;
    for (poll, fd) in polled.iter_mut().zip(&fds) {
        poll.revents = fd.revents().bits();
    }
    Ok(())
}

fn wait_for_all(
    thread: &Thread,
    files: Vec<Option<Arc<OpenFile>>>,
    limit: Option<rustix::time::Timespec>,
    polled: &mut [Pollfd],
) -> Result<(), Errno> {
    let mut watches = Vec::with_capacity(files.len());
    for (poll, file) in polled.iter().zip(files) {
        let closed = if poll.fd < 0 {
            PollFlags::empty()
        } else {
            PollFlags::NVAL
        };
        let events = PollFlags::from_bits_retain(poll.events);
        watches.push(watch(thread, file, events, closed)?);
    }
    wait(thread, &mut watches, limit)?;
    for (poll, watch) in polled.iter_mut().zip(&watches) {
        poll.revents = watch.ready.bits();
    }
    Ok(())
}

/// The three sets of select(2): what to wait for, and what it takes to be in the answer.
const SETS: [(PollFlags, PollFlags); 3] = [
    (
        PollFlags::IN
            .union(PollFlags::RDNORM)
            .union(PollFlags::RDBAND),
        PollFlags::IN
            .union(PollFlags::RDNORM)
            .union(PollFlags::RDBAND)
            .union(PollFlags::HUP)
            .union(PollFlags::ERR),
    ),
    (
        PollFlags::OUT
            .union(PollFlags::WRNORM)
            .union(PollFlags::WRBAND),
        PollFlags::OUT
            .union(PollFlags::WRNORM)
            .union(PollFlags::WRBAND)
            .union(PollFlags::ERR),
    ),
    (PollFlags::PRI, PollFlags::PRI),
];

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn pselect6_time64(
    thread: &mut Thread,
    count: Int,
    read: Ptr,
    write: Ptr,
    except: Ptr,
    limit: InOut<Timespec>,
    sigmask: Ptr,
) -> Result<usize, Errno> {
    if sigmask.0 != 0 {
        let argument: [u32; 2] = thread.memory().read(GuestPtr::new(sigmask.0))?;
        let [mask, size] = argument;
        set_mask_for_call(thread, In(GuestPtr::new(mask)), Len(size))?;
    }
    let count = u32::try_from(count.0).map_err(|_| Errno::EINVAL)?;
    let count = count.min(u32::try_from(thread.process.descriptor_limit()).unwrap_or(u32::MAX));
    let time = match limit.0.non_null() {
        Some(ptr) => Some(checked(thread.memory().read(ptr)?)?),
        None => None,
    };
    let words = count.div_ceil(32);
    let mut sets = Vec::new();
    for ptr in [read.0, write.0, except.0] {
        sets.push(match GuestPtr::<u32>::new(ptr).non_null() {
            Some(ptr) => thread.memory().read_slice(GuestSlice::new(ptr, words))?,
            None => Vec::new(),
        });
    }
    let is_set = |set: &[u32], fd: u32| {
        let word = usize::try_from(fd / 32).ok().and_then(|i| set.get(i));
        word.is_some_and(|word| word & (1 << (fd % 32)) != 0)
    };
    let mut numbers = Vec::new();
    let mut watches = Vec::new();
    for fd in 0..count {
        let mut events = PollFlags::empty();
        for (set, (wanted, _)) in sets.iter().zip(SETS) {
            if is_set(set, fd) {
                events |= wanted;
            }
        }
        if !events.is_empty() {
            let file = thread.file(fd.cast_signed())?;
            if file.is_path() {
                return Err(Errno::EBADF);
            }
            numbers.push(fd);
            watches.push(watch(thread, Some(file), events, PollFlags::empty())?);
        }
    }
    let started = Instant::now();
    let waited = wait(thread, &mut watches, time);
    // Who is interrupted is told what was left as well.
    if let (Err(Errno::EINTR), Some(ptr), Some(time)) = (waited, limit.0.non_null(), time) {
        let _ = thread.memory().write(ptr, &to_guest(left(time, started)));
    }
    let left = waited?;
    let mut found = 0;
    for ((set, (_, answers)), ptr) in sets.iter_mut().zip(SETS).zip([read.0, write.0, except.0]) {
        let Some(ptr) = GuestPtr::<u32>::new(ptr).non_null() else {
            continue;
        };
        let mut answer = vec![0_u32; set.len()];
        for (fd, watch) in numbers.iter().zip(&watches) {
            if is_set(set, *fd) && watch.ready.intersects(answers) {
                if let Some(word) = usize::try_from(fd / 32)
                    .ok()
                    .and_then(|i| answer.get_mut(i))
                {
                    *word |= 1 << (fd % 32);
                }
                found += 1;
            }
        }
        thread.memory().write_slice(ptr, &answer)?;
    }
    if let (Some(ptr), Some(left)) = (limit.0.non_null(), left) {
        // A limit in memory that cannot be written is no reason to lose the answer.
        let _ = thread.memory().write(ptr, &to_guest(left));
    }
    Ok(found)
}
