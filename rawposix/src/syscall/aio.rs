//! Kernel AIO: contexts, requests and their events. See io_setup(2), io_submit(2), io_getevents(2).

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rawposix_abi::Errno;
use rawposix_abi::flags::{MapFlags, OpenFlags, Prot, RwFlags};
use rawposix_abi::structs::{AioSigset, IoEvent, Iocb, Timespec};
use rawposix_memory::{AddressSpace, GuestIovec, GuestPtr, GuestSlice, IoVecs, MapRequest};
use rustix::event::{PollFd, PollFlags};

use super::args::{AioContext, Hex, In, Int, IoCbs, IoEvents, Len, Ptr, Uint, access_mode};
use super::io::{offset, read_at, read_ranges, write_at, write_ranges};
use super::io_priority::check_priority;
use super::open::is_eventfd;
use super::signal::set_mask_for_call;
use crate::aio::Context;
use crate::fd::{HostFile, Object, OpenFile};
use crate::fs::open::refresh;
use crate::signal::Due;
use crate::thread::Thread;

/// The page that a context is named by.
const PAGE: u32 = AddressSpace::PAGE_SIZE;
/// Where `aio_key` is in `struct iocb`, and what the kernel writes there.
const KEY_AT: u32 = 8;
const KEY: u32 = 0;
/// `IOCB_FLAG_RESFD` and `IOCB_FLAG_IOPRIO`
const TELLS: u32 = 1;
const HAS_PRIORITY: u32 = 2;
/// `IOCB_CMD_*`, as the header has them. Linux, too, refuses `IOCB_CMD_NOOP`.
const PREAD: u16 = 0;
const PWRITE: u16 = 1;
const FSYNC: u16 = 2;
const FDSYNC: u16 = 3;
const PREADV: u16 = 7;
const PWRITEV: u16 = 8;

pub(super) fn io_setup(thread: &mut Thread, count: Uint, id: AioContext) -> Result<(), Errno> {
    if thread.memory().read(id.0)? != 0 || count.0 == 0 {
        return Err(Errno::EINVAL);
    }
    let context = Context::new(&thread.world.aio, count.0)?;
    let page = thread.memory().mmap(MapRequest {
        addr: 0,
        len: PAGE,
        prot: Prot::READ | Prot::WRITE,
        flags: MapFlags::PRIVATE | MapFlags::ANONYMOUS,
        file: None,
    })?;
    if let Err(errno) = thread.memory().write(id.0, &page) {
        thread.memory().munmap(page, PAGE)?;
        return Err(errno);
    }
    thread.process.aio.add(page, context);
    Ok(())
}

/// The context of an id, whose page is still there.
fn find(thread: &Thread, id: Hex) -> Result<Arc<Context>, Errno> {
    let page = GuestPtr::<u32>::new(id.0);
    thread.memory().read(page).map_err(|_| Errno::EINVAL)?;
    thread.process.aio.find(id.0)
}

pub(super) fn io_destroy(thread: &mut Thread, id: Hex) -> Result<(), Errno> {
    find(thread, id)?;
    let context = thread.process.aio.remove(id.0)?;
    let unmapped = thread.memory().munmap(id.0, PAGE);
    context.settle(thread);
    unmapped
}

pub(super) fn io_submit(
    thread: &mut Thread,
    id: Hex,
    count: Int,
    requests: IoCbs,
) -> Result<usize, Errno> {
    let count = usize::try_from(count.0).map_err(|_| Errno::EINVAL)?;
    let context = find(thread, id)?;
    for (done, place) in (0..count.min(context.room())).zip(0..) {
        // A thread that has to end does not go on with the rest.
        if thread.task.host.has_attention() && matches!(thread.consider(), Due::End(_)) {
            return Ok(done);
        }
        match submit(thread, &context, requests.0, place) {
            Ok(()) => {}
            Err(errno) if done == 0 => return Err(errno),
            Err(_) => return Ok(done),
        }
    }
    Ok(count.min(context.room()))
}

/// Carries out the request that the pointer in this place of an array leads to.
///
/// # Errors
/// What makes it no request; how one fails is said by its event.
fn submit(thread: &Thread, context: &Context, array: u32, place: u32) -> Result<(), Errno> {
    let pointer = place
        .checked_mul(4)
        .and_then(|bytes| array.checked_add(bytes));
    let pointer = GuestPtr::<u32>::new(pointer.ok_or(Errno::EFAULT)?);
    let address = thread.memory().read(pointer)?;
    let request: Iocb = thread.memory().read(GuestPtr::new(address))?;
    let buffer = u32::try_from(request.buf).map_err(|_| Errno::EINVAL)?;
    let length = i32::try_from(request.nbytes).map_err(|_| Errno::EINVAL)?;
    if request.reserved2 != 0 {
        return Err(Errno::EINVAL);
    }
    let running = context.begin()?;
    let file = thread.file(request.fildes.cast_signed())?;
    if file.is_path() {
        return Err(Errno::EBADF);
    }
    let told = match request.flags & TELLS {
        0 => None,
        _ => Some(thread.file(request.resfd.cast_signed())?),
    };
    if told.as_ref().is_some_and(|file| !is_eventfd(file)) {
        return Err(Errno::EINVAL);
    }
    let key = address.checked_add(KEY_AT).ok_or(Errno::EFAULT)?;
    thread.memory().write(GuestPtr::new(key), &KEY)?;
    let range = GuestSlice::new(GuestPtr::new(buffer), length.cast_unsigned());
    let one = || IoVecs::of_ranges([range]);
    let many = || {
        let array = GuestPtr::<GuestIovec>::new(buffer);
        thread.memory().read_iovecs(array, range.len())
    };
    let result = match request.lio_opcode {
        PREAD => read(thread, &file, &request, one)?,
        PREADV => read(thread, &file, &request, many)?,
        PWRITE => write(thread, &file, &request, one)?,
        PWRITEV => write(thread, &file, &request, many)?,
        FSYNC | FDSYNC => sync(thread, &file, &request)?,
        _ => return Err(Errno::EINVAL),
    };
    let result = match result {
        Ok(count) => i64::try_from(count).unwrap_or(i64::MAX),
        Err(errno) => i64::from(errno.to_word()),
    };
    running.complete(IoEvent {
        data: request.data,
        obj: u64::from(address),
        res: result,
        res2: 0,
    });
    if let Some(told) = told {
        tell(thread, &told);
    }
    Ok(())
}

/// The flags of a read or a write.
fn flags(request: &Iocb) -> Result<RwFlags, Errno> {
    if request.flags & HAS_PRIORITY != 0 {
        check_priority(u32::from(request.reqprio.cast_unsigned()))?;
    }
    let flags = RwFlags::from_bits_retain(request.rw_flags);
    if !RwFlags::all().contains(flags) {
        return Err(Errno::EOPNOTSUPP);
    }
    // Nobody polls for the end.
    Ok(flags - RwFlags::HIPRI)
}

/// What is read and written: nothing that has no ways of its own for that.
fn host(file: &OpenFile) -> Result<&HostFile, Errno> {
    match file.object() {
        Object::Host(host) => Ok(host),
        Object::Path(_) => Err(Errno::EBADF),
        Object::Dir(_) | Object::Own(_) => Err(Errno::EINVAL),
    }
}

/// How a request ends whose flags the file may not know, which Linux says at once.
fn ended(result: Result<usize, Errno>, flags: RwFlags) -> Result<Result<usize, Errno>, Errno> {
    match result {
        Err(Errno::EOPNOTSUPP) if !flags.is_empty() => Err(Errno::EOPNOTSUPP),
        result => Ok(result),
    }
}

fn read(
    thread: &Thread,
    file: &Arc<OpenFile>,
    request: &Iocb,
    ranges: impl FnOnce() -> Result<IoVecs, Errno>,
) -> Result<Result<usize, Errno>, Errno> {
    let flags = flags(request)?;
    if access_mode(file.flags) == OpenFlags::WRONLY.bits() {
        return Err(Errno::EBADF);
    }
    let host = host(file)?;
    let ranges = ranges()?;
    offset(request.offset)?;
    if request.offset == 0 {
        refresh(&thread.process, host)?;
    }
    let result = match read_at(thread, file, host, &ranges, (request.offset, flags)) {
        // What has no positions is read from where it is.
        Err(Errno::ESPIPE) if flags.is_empty() => read_ranges(thread, file, host, &ranges),
        Err(Errno::ESPIPE) => read_at(thread, file, host, &ranges, (-1, flags)),
        result => result,
    };
    ended(result, flags)
}

fn write(
    thread: &Thread,
    file: &Arc<OpenFile>,
    request: &Iocb,
    ranges: impl FnOnce() -> Result<IoVecs, Errno>,
) -> Result<Result<usize, Errno>, Errno> {
    let flags = flags(request)?;
    if access_mode(file.flags) == 0 {
        return Err(Errno::EBADF);
    }
    let host = host(file)?;
    let ranges = ranges()?;
    offset(request.offset)?;
    let result = match write_at(thread, file, host, ranges.clone(), (request.offset, flags)) {
        Err(Errno::ESPIPE) if flags.is_empty() => write_ranges(thread, file, host, ranges),
        Err(Errno::ESPIPE) => write_at(thread, file, host, ranges, (-1, flags)),
        result => result,
    };
    ended(result, flags)
}

fn sync(thread: &Thread, file: &OpenFile, request: &Iocb) -> Result<Result<usize, Errno>, Errno> {
    if (
        request.buf,
        request.offset,
        request.nbytes,
        request.rw_flags,
    ) != (0, 0, 0, 0)
    {
        return Err(Errno::EINVAL);
    }
    let host = match (file.object(), file.any_fd()) {
        (Object::Own(_), _) => return Err(Errno::EINVAL),
        (_, Some(host)) => host,
        (_, None) => return Ok(Ok(0)),
    };
    let result = thread.block(|| {
        let synced = match request.lio_opcode {
            FDSYNC => rustix::fs::fdatasync(host),
            _ => rustix::fs::fsync(host),
        };
        synced.map_err(Errno::from)
    });
    match result {
        // It is nothing that could be written to a disk.
        Err(Errno::EINVAL) => Err(Errno::EINVAL),
        result => Ok(result.map(|()| 0)),
    }
}

/// Adds one to an eventfd, if it has room for that.
fn tell(thread: &Thread, file: &OpenFile) {
    let Object::Host(host) = file.object() else {
        return;
    };
    let mut room = [PollFd::new(&host.fd, PollFlags::OUT)];
    let now = rustix::time::Timespec::default();
    if rustix::event::poll(&mut room, Some(&now)) == Ok(1) {
        let one = 1_u64.to_ne_bytes();
        let _ = thread.block(|| rustix::io::write(host.fd.as_fd(), &one).map_err(Errno::from));
    }
}

/// Every request is complete when its submission has returned, and cannot be cancelled.
pub(super) fn io_cancel(
    thread: &mut Thread,
    id: Hex,
    request: In<Iocb>,
    result: Ptr,
) -> Result<(), Errno> {
    let _ = result;
    let key = request.0.addr().checked_add(KEY_AT).ok_or(Errno::EFAULT)?;
    let key = thread.memory().read(GuestPtr::<u32>::new(key))?;
    if key == KEY {
        find(thread, id)?;
    }
    Err(Errno::EINVAL)
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn io_pgetevents_time64(
    thread: &mut Thread,
    id: Hex,
    least: Int,
    most: Int,
    events: IoEvents,
    limit: In<Timespec>,
    mask: In<AioSigset>,
) -> Result<usize, Errno> {
    let end = match limit.0.non_null() {
        Some(ptr) => moment(thread.memory().read(ptr)?),
        None => None,
    };
    if let Some(ptr) = mask.0.non_null() {
        let set = thread.memory().read(ptr)?;
        set_mask_for_call(thread, In(GuestPtr::new(set.sigmask)), Len(set.size))?;
    }
    let context = find(thread, id)?;
    let least = usize::try_from(least.0).map_err(|_| Errno::EINVAL)?;
    let most = usize::try_from(most.0).map_err(|_| Errno::EINVAL)?;
    if least > most {
        return Err(Errno::EINVAL);
    }
    let thread = &*thread;
    context.get(thread, (least, most), end, |before, some| {
        if some.is_empty() {
            return Ok(());
        }
        let bytes = before.checked_mul(size_of::<IoEvent>());
        let bytes = bytes.and_then(|bytes| u32::try_from(bytes).ok());
        let start = bytes.and_then(|bytes| events.0.checked_add(bytes));
        let start = GuestPtr::<IoEvent>::new(start.ok_or(Errno::EFAULT)?);
        thread.memory().write_slice(start, some)
    })
}

/// When a timeout ends; this one is not checked, and is over if it is negative. `None` is never.
fn moment(limit: Timespec) -> Option<Instant> {
    let nanoseconds = i128::from(limit.sec) * 1_000_000_000 + i128::from(limit.nsec);
    let nanoseconds = u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX);
    Instant::now().checked_add(Duration::from_nanos(nanoseconds))
}
