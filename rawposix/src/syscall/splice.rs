//! Moving bytes between pipes and files without the guest's memory. See splice(2), tee(2), vmsplice(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::{OpenFlags, SpliceFlags};
use rawposix_memory::GuestPtr;
use rustix::fs::FileType;

use super::args::{Fd, InOut, Int, IoVec, Len, access_mode};
use super::io::{plain, readv, writev};
use super::room::limited;
use crate::thread::Thread;

/// The most bytes that one call moves, as on Linux.
const MAX_COUNT: u32 = 0x7fff_f000;

fn host_flags(flags: SpliceFlags) -> rustix::pipe::SpliceFlags {
    rustix::pipe::SpliceFlags::from_bits_retain(flags.bits())
}

fn length(len: Len) -> usize {
    usize::try_from(len.0.min(MAX_COUNT)).unwrap_or(0)
}

fn position(thread: &Thread, ptr: &InOut<i64>) -> Result<Option<u64>, Errno> {
    match ptr.0.non_null() {
        Some(ptr) => u64::try_from(thread.memory().read(ptr)?)
            .map(Some)
            .map_err(|_| Errno::EINVAL),
        None => Ok(None),
    }
}

fn store(thread: &Thread, ptr: GuestPtr<i64>, at: Option<u64>) -> Result<(), Errno> {
    match (ptr.non_null(), at) {
        (Some(ptr), Some(at)) => thread.memory().write(ptr, &at.cast_signed()),
        _ => Ok(()),
    }
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn splice(
    thread: &mut Thread,
    in_fd: Fd,
    in_off: InOut<i64>,
    out_fd: Fd,
    out_off: InOut<i64>,
    len: Len,
    flags: SpliceFlags,
) -> Result<usize, Errno> {
    let (source, target) = (thread.file(in_fd.0)?, thread.file(out_fd.0)?);
    let source = source.host().map_err(|_| Errno::EINVAL)?;
    let target_host = target.host_for_writing()?;
    plain(source)?;
    plain(target_host)?;
    let (source, target_fd) = (&source.fd, &target_host.fd);
    let (mut from, mut to) = (position(thread, &in_off)?, position(thread, &out_off)?);
    let len = limited(thread, &target, to, len.0.min(MAX_COUNT))?;
    let moved = thread.block(|| {
        let flags = host_flags(flags);
        rustix::pipe::splice(
            source,
            from.as_mut(),
            target_fd,
            to.as_mut(),
            length(Len(len)),
            flags,
        )
        .map_err(Errno::from)
    });
    let moved = thread.broken_pipe(moved)?;
    store(thread, in_off.0, from)?;
    store(thread, out_off.0, to)?;
    Ok(moved)
}

pub(super) fn tee(
    thread: &mut Thread,
    in_fd: Fd,
    out_fd: Fd,
    len: Len,
    flags: SpliceFlags,
) -> Result<usize, Errno> {
    let (source, target) = (thread.file(in_fd.0)?, thread.file(out_fd.0)?);
    let source = &source.host().map_err(|_| Errno::EINVAL)?.fd;
    let target = &target.host_for_writing()?.fd;
    let copied = thread.block(|| {
        rustix::pipe::tee(source, target, length(len), host_flags(flags)).map_err(Errno::from)
    });
    thread.broken_pipe(copied)
}

/// The guest's pages stay the guest's: this is a read or a write of the pipe.
pub(super) fn vmsplice(
    thread: &mut Thread,
    fd: Fd,
    iov: IoVec,
    count: Int,
    flags: SpliceFlags,
) -> Result<usize, Errno> {
    let _ = flags;
    let file = thread.file(fd.0)?;
    let host = file.host().map_err(|_| Errno::EBADF)?;
    if FileType::from_raw_mode(rustix::fs::fstat(&host.fd)?.st_mode) != FileType::Fifo {
        return Err(Errno::EBADF);
    }
    if access_mode(file.flags) == OpenFlags::WRONLY.bits() {
        writev(thread, fd, iov, count)
    } else {
        readv(thread, fd, iov, count)
    }
}
