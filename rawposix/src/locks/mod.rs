//! Record locks of fcntl(2), on top of the host's open-file-description locks.
//!
//! POSIX locks belong to a process and a file; all guests share one host process. So each process keeps, for each file
//! it has locked, one host description of its own, and the host's kernel arbitrates between those: guest processes
//! exclude one another and every other process of the host.

mod waits;

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{FcntlArg, fcntl};
use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::flags::lock::{F_RDLCK, F_UNLCK, F_WRLCK};
use rawposix_abi::flags::whence;
use rawposix_abi::structs::Flock64;
use rustix::fs::{FileType, OFlags, SeekFrom};

use crate::cage::Process;
use crate::fd::{HostFile, Object, OpenFile};
use crate::fs::dir::FileId;
use crate::fs::node::reopen;

pub(crate) use waits::LockWaits;
use waits::Wanted;

/// The files a process holds record locks on.
#[derive(Debug, Default)]
pub(crate) struct RecordLocks {
    files: Mutex<HashMap<FileId, Locked>>,
    /// Whether there ever was one: every close asks.
    used: AtomicBool,
}

/// A file with locks of the process.
#[derive(Debug)]
struct Locked {
    fd: Arc<OwnedFd>,
    /// Which parts are locked. The host knows better; this is only to name the owner of a lock.
    ranges: Vec<LockedRange>,
}

/// A locked part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LockedRange {
    start: i64,
    /// The first byte behind it.
    end: i64,
    kind: i16,
}

impl LockedRange {
    fn of(request: &Flock64) -> Self {
        let end = match request.len {
            0 => i64::MAX,
            len => request.start.saturating_add(len),
        };
        Self {
            start: request.start,
            end,
            kind: request.kind,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // The description may be one that the guest has, too, and go on with its locks.
        let all = Flock64 {
            kind: i16::try_from(F_UNLCK).unwrap_or(2),
            ..Flock64::default()
        };
        let _ = apply(&*self.fd, &all, Wait::No);
    }
}

impl Locked {
    /// Notes a lock that the process has taken or given up.
    fn note(&mut self, new: LockedRange) {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 2);
        for old in &self.ranges {
            if !old.overlaps(&new) {
                ranges.push(*old);
                continue;
            }
            if old.start < new.start {
                ranges.push(LockedRange {
                    end: new.start,
                    ..*old
                });
            }
            if new.end < old.end {
                ranges.push(LockedRange {
                    start: new.end,
                    ..*old
                });
            }
        }
        if u32::try_from(new.kind) != Ok(F_UNLCK) {
            // As the host does: neighbours of one kind are one lock.
            let mut whole = new;
            ranges.retain(|old| {
                let joins =
                    old.kind == whole.kind && old.start <= whole.end && whole.start <= old.end;
                if joins {
                    whole.start = whole.start.min(old.start);
                    whole.end = whole.end.max(old.end);
                }
                !joins
            });
            ranges.push(whole);
        }
        self.ranges = ranges;
    }
}

/// Whether a conflicting lock is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Yes,
    No,
}

impl RecordLocks {
    /// F_SETLK and F_SETLKW: the lock of `process`, whose locks these are.
    pub(crate) fn set(
        &self,
        process: &Process,
        file: &OpenFile,
        request: &Flock64,
        wait: Wait,
    ) -> Result<(), Errno> {
        let host = lockable(file, request)?;
        let id = FileId::of(&host.fd)?;
        let request = absolute(host, request)?;
        let known = self.files.lock().get(&id).map(|file| Arc::clone(&file.fd));
        let fd = match known {
            Some(fd) => fd,
            None if kind(&request)? == F_UNLCK => return Ok(()),
            None => {
                let fresh = Arc::new(lock_description(host)?);
                self.used.store(true, Ordering::Release);
                let mut files = self.files.lock();
                let file = files.entry(id).or_insert_with(|| Locked {
                    fd: fresh,
                    ranges: Vec::new(),
                });
                Arc::clone(&file.fd)
            }
        };
        match apply(&fd, &request, Wait::No) {
            Err(Errno::EAGAIN | Errno::EACCES) if wait == Wait::Yes => {
                let wanted = Wanted {
                    file: id,
                    range: LockedRange::of(&request),
                };
                let world = process.world();
                let others = world.family.living();
                let _waiting = world.lock_waits.begin(process.pid, wanted, &others)?;
                apply(&fd, &request, Wait::Yes)?;
            }
            result => result?,
        }
        if let Some(file) = self.files.lock().get_mut(&id) {
            file.note(LockedRange::of(&request));
        }
        Ok(())
    }

    /// Whether the process has a lock that keeps others from one that they want.
    fn is_in_the_way(&self, wanted: &Wanted) -> bool {
        let reads = |range: &LockedRange| u32::try_from(range.kind) == Ok(F_RDLCK);
        let files = self.files.lock();
        files.get(&wanted.file).is_some_and(|file| {
            let mut ranges = file.ranges.iter();
            ranges.any(|own| own.overlaps(&wanted.range) && !(reads(own) && reads(&wanted.range)))
        })
    }

    /// Whether the process has the lock that `found`, a conflict on the file, describes.
    fn owns(&self, id: FileId, found: &Flock64) -> bool {
        let range = LockedRange::of(found);
        let files = self.files.lock();
        files.get(&id).is_some_and(|file| {
            let mut ranges = file.ranges.iter();
            ranges.any(|own| *own == range)
        })
    }

    /// F_GETLK: the first lock that conflicts with the request. Its owner is one of `others` or, if it is none of
    /// them, somebody outside, whose id is -1.
    pub(crate) fn get(
        &self,
        file: &OpenFile,
        request: &Flock64,
        others: &[Arc<Process>],
    ) -> Result<Flock64, Errno> {
        let host = file.host().map_err(|_| Errno::EBADF)?;
        if !matches!(kind(request)?, F_RDLCK | F_WRLCK) {
            return Err(Errno::EINVAL);
        }
        let id = FileId::of(&host.fd)?;
        let known = self.files.lock().get(&id).map(|file| Arc::clone(&file.fd));
        let request = absolute(host, request)?;
        let found = match known {
            Some(fd) => conflict(fd.as_fd(), &request),
            // The description's own locks are in the way as well.
            None => conflict(lock_description(host)?.as_fd(), &request),
        }?;
        Ok(with_owner(id, found, others))
    }

    /// Drops all locks: the process has ended.
    pub(crate) fn release_all(&self) {
        self.files.lock().clear();
    }

    /// Drops all locks on the file: any close of a descriptor of it does that.
    pub(crate) fn release(&self, file: &OpenFile) {
        if !self.used.load(Ordering::Acquire) {
            return;
        }
        let Object::Host(host) = file.as_opened() else {
            return;
        };
        let mut files = self.files.lock();
        if files.is_empty() {
            return;
        }
        if let Ok(id) = FileId::of(&host.fd) {
            files.remove(&id);
        }
    }
}

/// A conflict with the id of the process that it is with.
fn with_owner(id: FileId, found: Flock64, others: &[Arc<Process>]) -> Flock64 {
    if u32::try_from(found.kind) == Ok(F_UNLCK) {
        return found;
    }
    let owner = others.iter().find(|other| other.locks.owns(id, &found));
    Flock64 {
        pid: owner.map_or(found.pid, |owner| owner.pid.0),
        ..found
    }
}

/// F_OFD_SETLK and F_OFD_SETLKW: the description's lock.
pub(crate) fn set_description_lock(
    file: &OpenFile,
    request: &Flock64,
    wait: Wait,
) -> Result<(), Errno> {
    if request.pid != 0 {
        return Err(Errno::EINVAL);
    }
    let host = lockable(file, request)?;
    apply(&host.fd, &absolute(host, request)?, wait)
}

/// F_OFD_GETLK.
pub(crate) fn get_description_lock(
    file: &OpenFile,
    request: &Flock64,
    others: &[Arc<Process>],
) -> Result<Flock64, Errno> {
    if request.pid != 0 {
        return Err(Errno::EINVAL);
    }
    let host = file.host().map_err(|_| Errno::EBADF)?;
    let found = conflict(host.fd.as_fd(), &absolute(host, request)?)?;
    Ok(with_owner(FileId::of(&host.fd)?, found, others))
}

fn kind(request: &Flock64) -> Result<u32, Errno> {
    u32::try_from(request.kind).map_err(|_| Errno::EINVAL)
}

/// The host file, if its access mode allows the lock.
fn lockable<'f>(file: &'f OpenFile, request: &Flock64) -> Result<&'f HostFile, Errno> {
    let host = file.host().map_err(|_| Errno::EBADF)?;
    let mode = rustix::fs::fcntl_getfl(&host.fd)? & OFlags::RWMODE;
    match kind(request)? {
        F_RDLCK if mode == OFlags::WRONLY => Err(Errno::EBADF),
        F_WRLCK if mode == OFlags::RDONLY => Err(Errno::EBADF),
        F_RDLCK | F_WRLCK | F_UNLCK => Ok(host),
        _ => Err(Errno::EINVAL),
    }
}

/// A description of the same file, for locks only: for both kinds of lock where the host allows it, since descriptors of
/// other access modes may follow. Opening anything but a file once more would be noticed, as another end of a pipe is.
fn lock_description(host: &HostFile) -> Result<OwnedFd, Errno> {
    let mode = rustix::fs::fstat(&host.fd)?.st_mode;
    if FileType::from_raw_mode(mode) == FileType::RegularFile {
        for mode in [OFlags::RDWR, OFlags::RDONLY, OFlags::WRONLY] {
            if let Ok(fd) = reopen(&host.fd, mode | OFlags::NONBLOCK) {
                return Ok(fd);
            }
        }
    }
    // The description itself serves; who else has it is not excluded.
    Ok(rustix::io::fcntl_dupfd_cloexec(&host.fd, 0)?)
}

/// The request with its range counted from the start of the file.
fn absolute(host: &HostFile, request: &Flock64) -> Result<Flock64, Errno> {
    let origin = match u32::try_from(request.whence) {
        Ok(whence::SEEK_SET) => 0,
        Ok(whence::SEEK_CUR) => rustix::fs::seek(&host.fd, SeekFrom::Current(0))?,
        Ok(whence::SEEK_END) => u64::try_from(rustix::fs::fstat(&host.fd)?.st_size).unwrap_or(0),
        _ => return Err(Errno::EINVAL),
    };
    let origin = i64::try_from(origin).map_err(|_| Errno::EOVERFLOW)?;
    let start = origin.checked_add(request.start).ok_or(Errno::EOVERFLOW)?;
    let (start, len) = match request.len {
        len if len < 0 => (
            start.checked_add(len).ok_or(Errno::EINVAL)?,
            len.checked_neg().ok_or(Errno::EINVAL)?,
        ),
        len => (start, len),
    };
    if start < 0 {
        return Err(Errno::EINVAL);
    }
    if len > 0 && start.checked_add(len - 1).is_none() {
        return Err(Errno::EOVERFLOW);
    }
    Ok(Flock64 {
        kind: request.kind,
        start,
        len,
        ..Flock64::default()
    })
}

fn to_host(request: &Flock64) -> libc::flock {
    libc::flock {
        l_type: request.kind,
        l_whence: 0,
        l_start: request.start,
        l_len: request.len,
        l_pid: 0,
    }
}

fn apply(fd: impl AsFd, request: &Flock64, wait: Wait) -> Result<(), Errno> {
    let lock = to_host(request);
    let argument = match wait {
        Wait::Yes => FcntlArg::F_OFD_SETLKW(&lock),
        Wait::No => FcntlArg::F_OFD_SETLK(&lock),
    };
    fcntl(fd, argument).map(|_| ()).map_err(from_nix)
}

fn conflict(fd: impl AsFd, request: &Flock64) -> Result<Flock64, Errno> {
    let mut lock = to_host(request);
    fcntl(fd, FcntlArg::F_OFD_GETLK(&mut lock)).map_err(from_nix)?;
    Ok(Flock64 {
        kind: lock.l_type,
        whence: 0,
        start: lock.l_start,
        len: lock.l_len,
        // The host names no owner of such a lock.
        pid: if u32::try_from(lock.l_type) == Ok(F_UNLCK) {
            0
        } else {
            -1
        },
        ..*request
    })
}

/// The host's number, in the guest's type.
pub(crate) fn from_nix(error: nix::errno::Errno) -> Errno {
    u16::try_from(error as i32)
        .ok()
        .and_then(Errno::from_raw)
        .unwrap_or(Errno::EIO)
}
