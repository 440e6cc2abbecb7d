//! The room that files take and what of them has reached the disk: truncate, fallocate, fsync and their kin.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{FallocMode, OpenFlags};
use rustix::fs::{Advice, FallocateFlags, FileType};

use super::args::{Fd, Hex, Int, Len, Off, Path, access_mode};
use super::io::offset;
use super::room::too_large;
use crate::fd::{HostFile, Object, OpenFile, Origin};
use crate::fs::node::Node;
use crate::fs::open::{How, open_allowed};
use crate::fs::walk::Follow;
use crate::landlock::FileAccess;
use crate::thread::Thread;

/// Runs `f` on the host descriptor of a file or a directory.
fn on_any(
    thread: &Thread,
    fd: Fd,
    f: impl Fn(BorrowedFd<'_>) -> rustix::io::Result<()>,
) -> Result<(), Errno> {
    let file = thread.file(fd.0)?;
    if file.is_path() {
        return Err(Errno::EBADF);
    }
    match file.any_fd() {
        Some(host) => thread.block(|| f(host).map_err(Errno::from)),
        None => Ok(()),
    }
}

pub(super) fn fsync(thread: &mut Thread, fd: Fd) -> Result<(), Errno> {
    on_any(thread, fd, |host| rustix::fs::fsync(host))
}

pub(super) fn fdatasync(thread: &mut Thread, fd: Fd) -> Result<(), Errno> {
    on_any(thread, fd, |host| rustix::fs::fdatasync(host))
}

pub(super) fn syncfs(thread: &mut Thread, fd: Fd) -> Result<(), Errno> {
    on_any(thread, fd, |host| rustix::fs::syncfs(host))
}

pub(super) fn sync(thread: &mut Thread) -> Result<(), Errno> {
    let _ = thread;
    rustix::fs::sync();
    Ok(())
}

pub(super) fn sync_file_range(
    thread: &mut Thread,
    fd: Fd,
    start: Off,
    length: Off,
    flags: Hex,
) -> Result<(), Errno> {
    /// `SYNC_FILE_RANGE_WAIT_BEFORE`, `_WRITE` and `_WAIT_AFTER`.
    const KNOWN: u32 = 7;
    const WAITS: u32 = 5;
    let end = start.0.checked_add(length.0);
    if flags.0 & !KNOWN != 0 || start.0 < 0 || length.0 < 0 || end.is_none() {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(fd.0)?;
    if file.is_path() {
        return Err(Errno::EBADF);
    }
    let kind = match file.any_fd() {
        Some(host) => FileType::from_raw_mode(rustix::fs::fstat(host)?.st_mode),
        None => FileType::Directory,
    };
    if !matches!(
        kind,
        FileType::RegularFile | FileType::Directory | FileType::BlockDevice
    ) {
        return Err(Errno::ESPIPE);
    }
    match flags.0 & WAITS {
        0 => Ok(()),
        _ => fdatasync(thread, fd),
    }
}

pub(super) fn ftruncate64(thread: &mut Thread, fd: Fd, length: Off) -> Result<(), Errno> {
    let length = offset(length.0)?;
    let file = thread.file(fd.0)?;
    let host = match file.object() {
        Object::Host(host) => host,
        Object::Dir(_) | Object::Own(_) => return Err(Errno::EINVAL),
        Object::Path(_) => return Err(Errno::EBADF),
    };
    if access_mode(file.flags) == 0 {
        return Err(Errno::EINVAL);
    }
    if length > thread.process.file_size_limit() {
        return Err(too_large(thread));
    }
    if host.keeps_size {
        return Err(Errno::EACCES);
    }
    resize(thread, host, length)
}

pub(super) fn truncate64(thread: &mut Thread, path: Path, length: Off) -> Result<(), Errno> {
    let length = offset(length.0)?;
    let path = thread.read_path(path.0)?;
    let node = thread.node(rawposix_abi::flags::AT_FDCWD, &path, Follow::Yes)?;
    match &node {
        Node::Dir(_) | Node::Shortcut(_) => return Err(Errno::EISDIR),
        Node::Host(host) if host.kind != FileType::RegularFile => return Err(Errno::EINVAL),
        _ => {}
    }
    if length > thread.process.file_size_limit() {
        return Err(too_large(thread));
    }
    thread.process.check_domain(&node, FileAccess::TRUNCATE)?;
    let how = How {
        flags: OpenFlags::WRONLY,
        mode: rustix::fs::Mode::empty(),
        set_ids: 0,
    };
    // What a link of /proc leads to may be a pipe, which is waited for.
    let file: Arc<OpenFile> = thread.block(|| open_allowed(&thread.process, node.clone(), how))?;
    resize(thread, file.host()?, length)
}

/// Gives a file another size, if its directory has room for it.
fn resize(thread: &Thread, host: &HostFile, length: u64) -> Result<(), Errno> {
    if let Some(quota) = &host.quota {
        quota.reserve(length)?;
    }
    thread.block(|| rustix::fs::ftruncate(&host.fd, length).map_err(Errno::from))?;
    if let Some(quota) = &host.quota {
        quota.cut(length);
    }
    Ok(())
}

pub(super) fn fallocate(
    thread: &mut Thread,
    fd: Fd,
    mode: FallocMode,
    at: Off,
    len: Off,
) -> Result<(), Errno> {
    let (at, len) = (offset(at.0)?, offset(len.0)?);
    let file = thread.file(fd.0)?;
    let host = file.host_for_writing()?;
    if at.saturating_add(len) > thread.process.file_size_limit() {
        return Err(too_large(thread));
    }
    let mode = FallocateFlags::from_bits_retain(mode.bits());
    let frees = FallocateFlags::PUNCH_HOLE | FallocateFlags::COLLAPSE_RANGE;
    if let (Some(quota), false) = (&host.quota, mode.intersects(frees)) {
        let end = if mode.contains(FallocateFlags::INSERT_RANGE) {
            u64::try_from(rustix::fs::fstat(&host.fd)?.st_size).unwrap_or(0)
        } else {
            at
        };
        quota.reserve(end.saturating_add(len))?;
    }
    let host = &host.fd;
    thread.block(|| rustix::fs::fallocate(host, mode, at, len).map_err(Errno::from))
}

pub(super) fn fadvise64_64(
    thread: &mut Thread,
    fd: Fd,
    at: Off,
    len: Off,
    advice: Int,
) -> Result<(), Errno> {
    let advice = match advice.0 {
        0 => Advice::Normal,
        1 => Advice::Random,
        2 => Advice::Sequential,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::EINVAL),
    };
    let file = thread.file(fd.0)?;
    let len = offset(len.0)?;
    let host = match file.object() {
        Object::Host(host) => host,
        Object::Dir(_) => return Ok(()),
        Object::Path(_) => return Err(Errno::EBADF),
        Object::Own(_) => return Err(Errno::EINVAL),
    };
    let len = std::num::NonZeroU64::new(len);
    Ok(rustix::fs::fadvise(
        &host.fd,
        at.0.cast_unsigned(),
        len,
        advice,
    )?)
}

pub(super) fn readahead(thread: &mut Thread, fd: Fd, at: Off, count: Len) -> Result<(), Errno> {
    let file = thread.file(fd.0)?;
    let host = file.host().map_err(|_| Errno::EINVAL)?;
    if access_mode(file.flags) == OpenFlags::WRONLY.bits() {
        return Err(Errno::EBADF);
    }
    if matches!(host.origin, Origin::Nameless(_) | Origin::Socket(_)) {
        return Err(Errno::EINVAL);
    }
    let len = std::num::NonZeroU64::new(u64::from(count.0));
    Ok(rustix::fs::fadvise(
        &host.fd,
        offset(at.0)?,
        len,
        Advice::WillNeed,
    )?)
}
