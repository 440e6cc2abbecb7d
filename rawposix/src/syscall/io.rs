//! Reading, writing and positions. See read(2), write(2), readv(2), lseek(2).

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{OpenFlags, RwFlags, whence};
use rawposix_memory::{GuestIovec, GuestPtr, GuestSlice, IoVecs};
use rustix::fs::SeekFrom;

pub(super) use super::aio::{io_cancel, io_destroy, io_pgetevents_time64, io_setup, io_submit};
use super::args::{Fd, Hex, InBuf, InOut, Int, IoVec, Len, Off, Out, OutBuf, Whence, access_mode};
pub(super) use super::ioctl::ioctl;
use super::message::{read_socket, write_socket};
use super::room::{limited, limited_ranges};
use crate::fd::{HostFile, Object, OpenFile, Origin};
use crate::fs::dir::Dir;
use crate::fs::listing::Listing;
use crate::fs::open::refresh;
use crate::fs::procfs::ProcFile;
use crate::terminal::End;
use crate::thread::Thread;

/// The most bytes that one call moves, as on Linux.
const MAX_COUNT: u32 = 0x7fff_f000;

fn slice(start: GuestPtr<u8>, count: u32) -> GuestSlice<u8> {
    GuestSlice::new(start, count)
}

fn size(count: u32) -> usize {
    usize::try_from(count.min(MAX_COUNT)).unwrap_or(usize::MAX)
}

/// All the bytes of the ranges.
pub(super) fn whole(ranges: &IoVecs) -> usize {
    usize::try_from(ranges.total()).unwrap_or(usize::MAX)
}

pub(super) fn offset(offset: i64) -> Result<u64, Errno> {
    u64::try_from(offset).map_err(|_| Errno::EINVAL)
}

pub(super) fn read(thread: &mut Thread, fd: Fd, buf: OutBuf, count: Len) -> Result<usize, Errno> {
    let file = thread.file(fd.0)?;
    let host = match file.host() {
        Ok(host) => host,
        Err(errno) => return read_own(thread, &file, &[slice(buf.0, count.0)], errno),
    };
    if is_special(host) {
        let ranges = IoVecs::one(slice(buf.0, count.0))?;
        return read_socket(thread, &file, &ranges);
    }
    thread.before_read(host)?;
    let fd = &host.fd;
    let result = thread.block(|| thread.memory().read_fd(as_fd(fd), slice(buf.0, count.0)));
    host.received(result, size(count.0))
}

/// Reads an object of rawposix's own; `errno` is for what is none.
#[cold]
fn read_own(
    thread: &Thread,
    file: &OpenFile,
    ranges: &[GuestSlice<u8>],
    errno: Errno,
) -> Result<usize, Errno> {
    let Object::Own(own) = file.object() else {
        return Err(errno);
    };
    if access_mode(file.flags) == OpenFlags::WRONLY.bits() {
        return Err(Errno::EBADF);
    }
    let room = ranges.iter().map(|range| u64::from(range.len())).sum();
    let room = usize::try_from(u64::min(room, u64::from(MAX_COUNT))).unwrap_or(0);
    let bytes = own.file().read(thread, room, !own.is_nonblocking())?;
    let mut rest = &*bytes;
    for range in ranges {
        let count = rest.len().min(usize::try_from(range.len()).unwrap_or(0));
        let (now, later) = rest.split_at(count);
        thread.memory().write_bytes(range.start(), now)?;
        rest = later;
    }
    Ok(bytes.len())
}

/// Writes an object of rawposix's own; `errno` is for what is none.
#[cold]
fn write_own(
    thread: &Thread,
    file: &OpenFile,
    range: GuestSlice<u8>,
    errno: Errno,
) -> Result<usize, Errno> {
    /// Objects of rawposix's own take small messages only.
    const MOST: u32 = 1 << 16;
    let Object::Own(own) = file.object() else {
        return Err(errno);
    };
    if access_mode(file.flags) == 0 {
        return Err(Errno::EBADF);
    }
    let range = slice(range.start(), range.len().min(MOST));
    let bytes = thread.memory().read_slice(range)?;
    own.file().write(thread, &bytes, !own.is_nonblocking())
}

pub(super) fn write(thread: &mut Thread, fd: Fd, buf: InBuf, count: Len) -> Result<usize, Errno> {
    let file = thread.file(fd.0)?;
    let host = match file.host_for_writing() {
        Ok(host) => host,
        Err(errno) => return write_own(thread, &file, slice(buf.0, count.0), errno),
    };
    if is_special_to_write(host) {
        let ranges = IoVecs::one(slice(buf.0, count.0))?;
        return write_socket(thread, &file, &ranges);
    }
    thread.before_write(host)?;
    if let Origin::Terminal(end @ End::Master(_)) = &host.origin {
        return thread.write_to_master(host, end, [slice(buf.0, count.0)]);
    }
    if let Origin::Virtual(_, proc) = &host.origin {
        return write_virtual(thread, *proc, [slice(buf.0, count.0)]);
    }
    let fd = &host.fd;
    let count = limited(thread, &file, None, count.0)?;
    let result = thread.block(|| thread.memory().write_fd(as_fd(fd), slice(buf.0, count)));
    thread.broken_pipe(host.sent(result, size(count)))
}

/// Writes to a file of `/proc`, which takes a page at most, wherever it is written.
fn write_virtual(
    thread: &Thread,
    file: ProcFile,
    ranges: impl IntoIterator<Item = GuestSlice<u8>>,
) -> Result<usize, Errno> {
    let (mut bytes, mut room) = (Vec::new(), 4096);
    for range in ranges {
        let range = slice(range.start(), range.len().min(room));
        bytes.extend(thread.memory().read_slice(range)?);
        room -= range.len();
    }
    file.write(&thread.process, &bytes)
}

pub(super) fn pread64(
    thread: &mut Thread,
    fd: Fd,
    buf: OutBuf,
    count: Len,
    at: Off,
) -> Result<usize, Errno> {
    offset(at.0)?;
    let file = thread.file(fd.0)?;
    let host = file.host()?;
    if at.0 == 0 {
        refresh(&thread.process, host)?;
    }
    let host = &host.fd;
    thread.block(|| {
        thread
            .memory()
            .pread_fd(as_fd(host), slice(buf.0, count.0), at.0)
    })
}

pub(super) fn pwrite64(
    thread: &mut Thread,
    fd: Fd,
    buf: InBuf,
    count: Len,
    at: Off,
) -> Result<usize, Errno> {
    let start = offset(at.0)?;
    let file = thread.file(fd.0)?;
    let host = file.host_for_writing()?;
    if let Origin::Virtual(_, proc) = &host.origin {
        return write_virtual(thread, *proc, [slice(buf.0, count.0)]);
    }
    let host = &host.fd;
    let count = limited(thread, &file, Some(start), count.0)?;
    thread.block(|| {
        thread
            .memory()
            .pwrite_fd(as_fd(host), slice(buf.0, count), at.0)
    })
}

pub(super) fn readv(thread: &mut Thread, fd: Fd, iov: IoVec, count: Int) -> Result<usize, Errno> {
    let file = thread.file(fd.0)?;
    let host = match file.host() {
        Ok(host) => host,
        Err(errno) => {
            ranges(thread, iov, count)?;
            let array = GuestPtr::<GuestIovec>::new(iov.0);
            let array = GuestSlice::new(array, count.0.cast_unsigned());
            let ranges = thread.memory().read_slice(array)?;
            let ranges = ranges
                .iter()
                .map(|range| slice(GuestPtr::new(range.base), range.len));
            return read_own(thread, &file, &ranges.collect::<Vec<_>>(), errno);
        }
    };
    read_ranges(thread, &file, host, &ranges(thread, iov, count)?)
}

/// Reads what comes next.
pub(super) fn read_ranges(
    thread: &Thread,
    file: &Arc<OpenFile>,
    host: &HostFile,
    ranges: &IoVecs,
) -> Result<usize, Errno> {
    if is_special(host) {
        return read_socket(thread, file, ranges);
    }
    thread.before_read(host)?;
    let fd = &host.fd;
    let result = thread.block(|| thread.memory().readv_fd(as_fd(fd), ranges));
    host.received(result, whole(ranges))
}

pub(super) fn writev(thread: &mut Thread, fd: Fd, iov: IoVec, count: Int) -> Result<usize, Errno> {
    let file = thread.file(fd.0)?;
    let host = file.host_for_writing()?;
    write_ranges(thread, &file, host, ranges(thread, iov, count)?)
}

/// Writes to where it is written next.
pub(super) fn write_ranges(
    thread: &Thread,
    file: &Arc<OpenFile>,
    host: &HostFile,
    ranges: IoVecs,
) -> Result<usize, Errno> {
    if is_special_to_write(host) {
        return write_socket(thread, file, &ranges);
    }
    thread.before_write(host)?;
    if let Origin::Terminal(end @ End::Master(_)) = &host.origin {
        return thread.write_to_master(host, end, ranges.ranges());
    }
    if let Origin::Virtual(_, proc) = &host.origin {
        return write_virtual(thread, *proc, ranges.ranges());
    }
    let fd = &host.fd;
    let ranges = limited_ranges(thread, file, None, ranges)?;
    let result = thread.block(|| thread.memory().writev_fd(as_fd(fd), &ranges));
    thread.broken_pipe(host.sent(result, whole(&ranges)))
}

pub(super) fn preadv(
    thread: &mut Thread,
    fd: Fd,
    iov: IoVec,
    count: Int,
    at: Off,
) -> Result<usize, Errno> {
    offset(at.0)?;
    preadv2(thread, fd, iov, count, at, RwFlags::empty())
}

pub(super) fn pwritev(
    thread: &mut Thread,
    fd: Fd,
    iov: IoVec,
    count: Int,
    at: Off,
) -> Result<usize, Errno> {
    offset(at.0)?;
    pwritev2(thread, fd, iov, count, at, RwFlags::empty())
}

pub(super) fn preadv2(
    thread: &mut Thread,
    fd: Fd,
    iov: IoVec,
    count: Int,
    at: Off,
    flags: RwFlags,
) -> Result<usize, Errno> {
    if at.0 < -1 {
        return Err(Errno::EINVAL);
    }
    if !RwFlags::all().contains(flags) {
        return Err(Errno::EOPNOTSUPP);
    }
    let file = thread.file(fd.0)?;
    let host = file.host()?;
    read_at(
        thread,
        &file,
        host,
        &ranges(thread, iov, count)?,
        (at.0, flags),
    )
}

/// Reads from there; -1 is the file's own position.
pub(super) fn read_at(
    thread: &Thread,
    file: &Arc<OpenFile>,
    host: &HostFile,
    ranges: &IoVecs,
    (at, flags): (i64, RwFlags),
) -> Result<usize, Errno> {
    if at == -1 && flags.is_empty() {
        return read_ranges(thread, file, host, ranges);
    }
    if at == -1 && is_special(host) {
        return Err(Errno::EOPNOTSUPP);
    }
    let host = &host.fd;
    thread.block(|| {
        thread
            .memory()
            .preadv_fd(as_fd(host), ranges, at, flags.bits().cast_signed())
    })
}

pub(super) fn pwritev2(
    thread: &mut Thread,
    fd: Fd,
    iov: IoVec,
    count: Int,
    at: Off,
    flags: RwFlags,
) -> Result<usize, Errno> {
    if at.0 < -1 {
        return Err(Errno::EINVAL);
    }
    if !RwFlags::all().contains(flags) {
        return Err(Errno::EOPNOTSUPP);
    }
    let file = thread.file(fd.0)?;
    let host = file.host_for_writing()?;
    let ranges = ranges(thread, iov, count)?;
    write_at(thread, &file, host, ranges, (at.0, flags))
}

/// Writes there; -1 is the file's own position.
pub(super) fn write_at(
    thread: &Thread,
    file: &Arc<OpenFile>,
    host: &HostFile,
    ranges: IoVecs,
    (at, flags): (i64, RwFlags),
) -> Result<usize, Errno> {
    if at == -1 && flags.is_empty() {
        return write_ranges(thread, file, host, ranges);
    }
    if at == -1 && is_special_to_write(host) {
        return Err(Errno::EOPNOTSUPP);
    }
    if let Origin::Virtual(_, proc) = &host.origin {
        return write_virtual(thread, *proc, ranges.ranges());
    }
    let host = &host.fd;
    let start = if flags.contains(RwFlags::APPEND) {
        u64::try_from(rustix::fs::fstat(host)?.st_size).ok()
    } else {
        u64::try_from(at).ok()
    };
    let ranges = limited_ranges(thread, file, start, ranges)?;
    let result = thread.block(|| {
        thread
            .memory()
            .pwritev_fd(as_fd(host), &ranges, at, flags.bits().cast_signed())
    });
    thread.broken_pipe(result)
}

/// Whether the host's descriptor alone does not do what a read or a write of the file does.
pub(crate) fn is_special(file: &HostFile) -> bool {
    matches!(&file.origin, Origin::Socket(socket) if !socket.is_direct())
}

/// The same of a write, which in a unix stream may have to say who writes, and in others sends no SIGPIPE.
pub(crate) fn is_special_to_write(file: &HostFile) -> bool {
    let Origin::Socket(socket) = &file.origin else {
        return false;
    };
    !socket.is_direct() || !socket.is_stream() || socket.tells_who()
}

/// Refuses to move bytes past a socket that is not simply the host's.
pub(super) fn plain(file: &HostFile) -> Result<(), Errno> {
    match &file.origin {
        Origin::Socket(socket) if !socket.is_direct() && socket.is_stream() => Err(Errno::ENOTCONN),
        Origin::Socket(socket) if !socket.is_direct() => Err(Errno::EINVAL),
        _ => Ok(()),
    }
}

fn as_fd(fd: &std::os::fd::OwnedFd) -> BorrowedFd<'_> {
    std::os::fd::AsFd::as_fd(fd)
}

fn ranges(thread: &Thread, iov: IoVec, count: Int) -> Result<IoVecs, Errno> {
    let count = u32::try_from(count.0).map_err(|_| Errno::EINVAL)?;
    thread
        .memory()
        .read_iovecs(GuestPtr::<GuestIovec>::new(iov.0), count)
}

pub(super) fn llseek(
    thread: &mut Thread,
    fd: Fd,
    high: Hex,
    low: Hex,
    result: Out<i64>,
    whence: Whence,
) -> Result<(), Errno> {
    let file = thread.file(fd.0)?;
    let by = (u64::from(high.0) << 32 | u64::from(low.0)).cast_signed();
    let position = match file.object() {
        Object::Host(host) => {
            let position = rustix::fs::seek(&host.fd, seek_from(by, whence.0)?)?;
            if position == 0 {
                refresh(&thread.process, host)?;
            }
            position
        }
        Object::Dir(dir) => seek_directory(&mut dir.listing.lock(), by, whence.0)?,
        Object::Path(_) => return Err(Errno::EBADF),
        Object::Own(_) => return Err(Errno::ESPIPE),
    };
    let position = i64::try_from(position).map_err(|_| Errno::EOVERFLOW)?;
    thread.memory().write(result.0, &position)
}

fn seek_from(by: i64, whence: u32) -> Result<SeekFrom, Errno> {
    Ok(match whence {
        whence::SEEK_SET => SeekFrom::Start(offset(by)?),
        whence::SEEK_CUR => SeekFrom::Current(by),
        whence::SEEK_END => SeekFrom::End(by),
        whence::SEEK_DATA => SeekFrom::Data(u64::try_from(by).map_err(|_| Errno::ENXIO)?),
        whence::SEEK_HOLE => SeekFrom::Hole(u64::try_from(by).map_err(|_| Errno::ENXIO)?),
        _ => return Err(Errno::EINVAL),
    })
}

/// The position in a directory is an index; going to its start reads the names anew.
fn seek_directory(listing: &mut Listing, by: i64, whence: u32) -> Result<u64, Errno> {
    let position = match whence {
        whence::SEEK_SET => offset(by)?,
        whence::SEEK_CUR => listing
            .position
            .checked_add_signed(by)
            .ok_or(Errno::EINVAL)?,
        _ => return Err(Errno::EINVAL),
    };
    if position == 0 {
        listing.names = None;
    }
    listing.position = position;
    Ok(position)
}

pub(super) fn sendfile64(
    thread: &mut Thread,
    out_fd: Fd,
    in_fd: Fd,
    offset_ptr: InOut<i64>,
    count: Len,
) -> Result<usize, Errno> {
    let source = thread.file(in_fd.0)?;
    let target = thread.file(out_fd.0)?;
    let source = source.host().map_err(|_| Errno::EINVAL)?;
    let target_fd = target.host_for_writing()?;
    plain(source)?;
    plain(target_fd)?;
    let (source, target_fd) = (&source.fd, &target_fd.fd);
    let count = limited(thread, &target, None, count.0.min(MAX_COUNT))?;
    let mut at = match offset_ptr.0.non_null() {
        Some(ptr) => Some(offset(thread.memory().read(ptr)?)?),
        None => None,
    };
    let length = usize::try_from(count).unwrap_or(usize::MAX);
    let result = thread.block(|| {
        rustix::fs::sendfile(target_fd, source, at.as_mut(), length).map_err(Errno::from)
    });
    let sent = thread.broken_pipe(result)?;
    if let (Some(ptr), Some(at)) = (offset_ptr.0.non_null(), at) {
        thread.memory().write(ptr, &at.cast_signed())?;
    }
    Ok(sent)
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn copy_file_range(
    thread: &mut Thread,
    in_fd: Fd,
    in_off: InOut<i64>,
    out_fd: Fd,
    out_off: InOut<i64>,
    len: Len,
    flags: Hex,
) -> Result<usize, Errno> {
    if flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let source = thread.file(in_fd.0)?;
    let target = thread.file(out_fd.0)?;
    let source = &source.host()?.fd;
    let target_fd = &target.host_for_writing()?.fd;
    let position = |ptr: &InOut<i64>| match ptr.0.non_null() {
        Some(ptr) => thread.memory().read(ptr).map(i64::cast_unsigned).map(Some),
        None => Ok(None),
    };
    let (mut from, mut to) = (position(&in_off)?, position(&out_off)?);
    let count = len.0.min(MAX_COUNT);
    let count = match to {
        // The host knows which error a negative position is.
        Some(at) if offset(at.cast_signed()).is_err() => count,
        to => limited(thread, &target, to, count)?,
    };
    let length = usize::try_from(count).unwrap_or(usize::MAX);
    let copied = thread.block(|| {
        rustix::fs::copy_file_range(source, from.as_mut(), target_fd, to.as_mut(), length)
            .map_err(Errno::from)
    })?;
    for (ptr, at) in [(in_off, from), (out_off, to)] {
        if let (Some(ptr), Some(at)) = (ptr.0.non_null(), at) {
            thread.memory().write(ptr, &at.cast_signed())?;
        }
    }
    Ok(copied)
}

/// The directory that an open file is, for getdents64.
pub(super) fn listed_directory(file: &OpenFile) -> Result<(&crate::fd::DirFile, &Dir), Errno> {
    match file.object() {
        Object::Dir(dir) => Ok((dir, &dir.dir)),
        Object::Path(_) => Err(Errno::EBADF),
        Object::Host(_) | Object::Own(_) => Err(Errno::ENOTDIR),
    }
}
