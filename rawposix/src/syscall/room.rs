//! How much may be written to a file: RLIMIT_FSIZE of setrlimit(2), and the size of a private directory.

use rawposix_abi::{Errno, Signal};
use rawposix_memory::{GuestSlice, IoVecs};
use rustix::fs::{FileType, OFlags, SeekFrom};

use crate::fd::{Object, OpenFile};
use crate::thread::Thread;

/// How many bytes may be written: up to RLIMIT_FSIZE, with the signal of setrlimit(2) when it is none, and as far as the
/// file's directory has room.
pub(super) fn limited(
    thread: &Thread,
    file: &OpenFile,
    at: Option<u64>,
    count: u32,
) -> Result<u32, Errno> {
    let limit = thread.process.file_size_limit();
    let Object::Host(host) = file.object() else {
        return Ok(count);
    };
    if (limit == crate::cage::UNLIMITED && host.quota.is_none()) || count == 0 {
        return Ok(count);
    }
    let stat = rustix::fs::fstat(&host.fd)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(count);
    }
    let appends = rustix::fs::fcntl_getfl(&host.fd)?.contains(OFlags::APPEND);
    let at = match at {
        // As on Linux, also where a position is given.
        _ if appends => u64::try_from(stat.st_size).unwrap_or(0),
        Some(at) => at,
        None => rustix::fs::seek(&host.fd, SeekFrom::Current(0))?,
    };
    let room = match limit.checked_sub(at) {
        None | Some(0) => return Err(too_large(thread)),
        Some(room) => u64::min(room, count.into()),
    };
    let end = match &host.quota {
        Some(quota) => quota.grow(at, at.saturating_add(room))?,
        None => at.saturating_add(room),
    };
    Ok(u32::try_from(end.saturating_sub(at)).unwrap_or(count))
}

/// The same of several ranges: those that may be written.
pub(super) fn limited_ranges(
    thread: &Thread,
    file: &OpenFile,
    at: Option<u64>,
    ranges: IoVecs,
) -> Result<IoVecs, Errno> {
    let total = u32::try_from(ranges.total()).unwrap_or(u32::MAX);
    let mut left = limited(thread, file, at, total)?;
    if left >= total {
        return Ok(ranges);
    }
    IoVecs::of_ranges(ranges.ranges().map(|range| {
        let count = range.len().min(left);
        left -= count;
        GuestSlice::new(range.start(), count)
    }))
}

pub(super) fn too_large(thread: &Thread) -> Errno {
    thread.raise(Signal::SIGXFSZ);
    Errno::EFBIG
}
