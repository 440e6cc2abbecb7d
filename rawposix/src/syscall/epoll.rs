//! Waiting for many descriptors. See epoll(7).

use std::os::fd::AsFd;
use std::time::Instant;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rawposix_abi::structs::{EpollEvent, Timespec};
use rawposix_memory::{AddressSpace, GuestPtr};
use rustix::event::{PollFlags, epoll};

use super::args::{EpollOp, Fd, Hex, In, Int, Len, Ptr};
use super::signal::set_mask_for_call;
use super::time::timeout;
use crate::fd::{Change, CloseOnExec, Object, OpenFile, Origin, Watched, Watcher};
use crate::futex::Deadline;
use crate::thread::Thread;

/// Operations of epoll_ctl(2).
const ADD: i32 = 1;
const DELETE: i32 = 2;
const MODIFY: i32 = 3;
/// The events that a call may ask for to be given them the short way.
pub(crate) const FEW_EVENTS: usize = 1024;
/// The events that one call gives; more are given by the next.
const MAX_EVENTS: usize = 1 << 16;
/// The events that are asked for; those of epoll(7) have the same numbers.
const ALL_EVENTS: PollFlags = PollFlags::IN
    .union(PollFlags::PRI)
    .union(PollFlags::OUT)
    .union(PollFlags::RDNORM)
    .union(PollFlags::RDBAND)
    .union(PollFlags::WRNORM)
    .union(PollFlags::WRBAND);
/// `EPOLLWAKEUP`, which needs CAP_BLOCK_SUSPEND and is then ignored.
const WAKEUP: u32 = 1 << 29;

pub(super) fn epoll_create1(thread: &mut Thread, flags: Hex) -> Result<i32, Errno> {
    let known = OpenFlags::CLOEXEC.bits();
    if flags.0 & !known != 0 {
        return Err(Errno::EINVAL);
    }
    let fd = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let origin = Origin::Nameless(String::from("anon_inode:[eventpoll]"));
    let file = OpenFile::host_file(fd, origin, OpenFlags::RDWR);
    thread
        .process
        .install(file, CloseOnExec::from_flag(flags.0 != 0))
}

pub(super) fn epoll_ctl(
    thread: &mut Thread,
    epfd: Fd,
    op: EpollOp,
    fd: Fd,
    event: In<EpollEvent>,
) -> Result<(), Errno> {
    let wanted = if op.0 == DELETE {
        EpollEvent::default()
    } else {
        thread.memory().read(event.0)?
    };
    let (set, file) = (thread.file(epfd.0)?, thread.file(fd.0)?);
    // What an object of rawposix's own is never ready for, its bell may be ready for.
    let (watches, watched, mask) = match file.object() {
        Object::Host(host) => (&host.watches, Watched::Host(host.fd.as_fd()), u32::MAX),
        Object::Own(own) => {
            let bell = own.file().bell(thread, Watcher::Process)?;
            let never = ALL_EVENTS - own.file().events();
            (own.watches(), Watched::Own(bell), !u32::from(never.bits()))
        }
        // As every file that is always ready.
        Object::Dir(_) => return Err(Errno::EPERM),
        Object::Path(_) => return Err(Errno::EBADF),
    };
    let host = set.host().map_err(|_| Errno::EINVAL)?.fd.as_fd();
    let data = epoll::EventData::new_u64(wanted.data);
    let events = epoll::EventFlags::from_bits_retain(wanted.events & !WAKEUP & mask);
    let change = match op.0 {
        ADD => Change::Add(data, events),
        MODIFY => Change::Modify(data, events),
        DELETE => Change::Delete,
        _ => return Err(Errno::EINVAL),
    };
    watches.change((&set, host), (fd.0, watched), change)
}

fn wait(
    thread: &Thread,
    epfd: Fd,
    events: Ptr,
    max: Int,
    limit: Option<rustix::time::Timespec>,
) -> Result<usize, Errno> {
    let max = usize::try_from(max.0)
        .ok()
        .filter(|max| *max > 0)
        .ok_or(Errno::EINVAL)?;
    let file = thread.file(epfd.0)?;
    let set = &file.host().map_err(|_| Errno::EINVAL)?.fd;
    let mut ready: Vec<epoll::Event> = Vec::with_capacity(max.min(MAX_EVENTS));
    let end = limit.map(Deadline::after);
    thread.block(|| {
        ready.clear();
        let room = rustix::buffer::spare_capacity(&mut ready);
        let left = end
            .and_then(Deadline::instant)
            .map(|end| end.saturating_duration_since(Instant::now()))
            .map(|left| rustix::time::Timespec::try_from(left).unwrap_or_default());
        epoll::wait(set, room, left.as_ref()).map_err(Errno::from)
    })?;
    // Copies: the host's structure is packed.
    let found = ready
        .iter()
        .map(|event| ({ event.flags }.bits(), { event.data }.u64()));
    write_events(thread.memory(), GuestPtr::new(events.0), found)?;
    Ok(ready.len())
}

/// Gives a guest the host's events: what is ready, and whose it is.
pub(crate) fn write_events(
    memory: &AddressSpace,
    array: GuestPtr<EpollEvent>,
    mut ready: impl ExactSizeIterator<Item = (u32, u64)>,
) -> Result<(), Errno> {
    let convert = |(events, data)| EpollEvent {
        events,
        pad: 0,
        data,
    };
    if ready.len() > 1 {
        let found: Vec<_> = ready.map(convert).collect();
        return memory.write_slice(array, &found);
    }
    match ready.next() {
        None => Ok(()),
        Some(event) => memory.write(array, &convert(event)),
    }
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn epoll_pwait(
    thread: &mut Thread,
    epfd: Fd,
    events: Ptr,
    max: Int,
    milliseconds: Int,
    mask: In<u64>,
    size: Len,
) -> Result<usize, Errno> {
    set_mask_for_call(thread, mask, size)?;
    let limit = u32::try_from(milliseconds.0)
        .ok()
        .map(|ms| rustix::time::Timespec {
            tv_sec: i64::from(ms / 1000),
            tv_nsec: i64::from(ms % 1000) * 1_000_000,
        });
    wait(thread, epfd, events, max, limit)
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn epoll_pwait2(
    thread: &mut Thread,
    epfd: Fd,
    events: Ptr,
    max: Int,
    limit: In<Timespec>,
    mask: In<u64>,
    size: Len,
) -> Result<usize, Errno> {
    set_mask_for_call(thread, mask, size)?;
    let limit = timeout(thread, limit)?;
    wait(thread, epfd, events, max, limit)
}
