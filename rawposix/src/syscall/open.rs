//! Opening, duplicating and closing descriptors. See open(2), dup(2), fcntl(2), pipe(2).

use std::sync::Arc;

use rawposix_abi::flags::{
    CloseRangeFlags, DupFlags, EventfdFlags, FlockOp, MemfdFlags, OpenFlags, PipeFlags, fcntl,
};
use rawposix_abi::structs::{FdPair, Flock64, OpenHow};
use rawposix_abi::{Errno, Signal};
use rawposix_memory::GuestPtr;
use rustix::fs::{FlockOperation, OFlags, SealFlags};

use super::args::{DirFd, FcntlCmd, Fd, Hex, In, Len, Mode, Out, Path, Str, Uint, access_mode};
use super::extensible;
use super::owner::{owner, set_async};
use crate::fd::{CloseOnExec, Object, OpenFile, Origin};
use crate::fs::open::{How, open};
use crate::fs::straight::open_straight;
use crate::fs::walk::{Rules, Walk};
use crate::locks::{self, Wait};
use crate::thread::Thread;

/// Bits of openat2(2)'s `resolve`.
mod resolve {
    pub(super) const NO_XDEV: u64 = 1;
    pub(super) const NO_MAGICLINKS: u64 = 2;
    pub(super) const NO_SYMLINKS: u64 = 4;
    pub(super) const BENEATH: u64 = 8;
    pub(super) const IN_ROOT: u64 = 16;
    pub(super) const CACHED: u64 = 32;
}

/// Flags that mean something together with `O_PATH`.
const PATH_FLAGS: OpenFlags = OpenFlags::PATH
    .union(OpenFlags::DIRECTORY)
    .union(OpenFlags::NOFOLLOW)
    .union(OpenFlags::CLOEXEC);

fn how(thread: &Thread, flags: OpenFlags, given: u32) -> Result<How, Errno> {
    let mut flags = flags;
    if flags.contains(OpenFlags::PATH) {
        flags &= PATH_FLAGS;
    }
    let temporary = flags.contains(OpenFlags::TMPFILE);
    if temporary && (access_mode(flags) == 0 || flags.contains(OpenFlags::CREAT)) {
        return Err(Errno::EINVAL);
    }
    if flags.contains(OpenFlags::CREAT | OpenFlags::DIRECTORY) && !temporary {
        return Err(Errno::EINVAL);
    }
    if access_mode(flags) == OpenFlags::ACCMODE {
        // A fourth access mode, for ioctl only: no device here has a use for it.
        return Err(Errno::EINVAL);
    }
    let creates = flags.contains(OpenFlags::CREAT) || temporary;
    let mode = if creates {
        thread.process.umask().apply(given)
    } else {
        rustix::fs::Mode::empty()
    };
    let set_ids = if creates { given & 0o6000 } else { 0 };
    Ok(How {
        flags,
        mode,
        set_ids,
    })
}

pub(super) fn openat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    flags: OpenFlags,
    mode: Mode,
) -> Result<i32, Errno> {
    let how = how(thread, flags, mode.0)?;
    let path = thread.read_path(path.0)?;
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    let start = thread.start(dirfd.0, &path)?;
    let straight = thread.block(|| open_straight(&thread.process, &start, &path, flags))?;
    if let Some(file) = straight {
        let close_on_exec = CloseOnExec::from_flag(flags.contains(OpenFlags::CLOEXEC));
        return install(thread, file, close_on_exec);
    }
    let file = thread.block(|| open(&thread.process, thread.walk(), start.clone(), &path, how))?;
    install(
        thread,
        file,
        CloseOnExec::from_flag(flags.contains(OpenFlags::CLOEXEC)),
    )
}

/// Bytes of the first version of `struct open_how`.
const FIRST_HOW_SIZE: u32 = 24;

pub(super) fn openat2(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    wanted: In<OpenHow>,
    size: Len,
) -> Result<i32, Errno> {
    let wanted_how: OpenHow = extensible::read(thread, wanted.0, size, FIRST_HOW_SIZE)?;
    let bits = u32::try_from(wanted_how.flags).map_err(|_| Errno::EINVAL)?;
    let known_bits = OpenFlags::all().bits();
    if bits & !known_bits != 0 || wanted_how.mode & !0o7777 != 0 {
        return Err(Errno::EINVAL);
    }
    let flags = OpenFlags::from_bits_retain(bits);
    // open(2) ignores what means nothing together with O_PATH.
    if flags.contains(OpenFlags::PATH) && !PATH_FLAGS.contains(flags) {
        return Err(Errno::EINVAL);
    }
    let creates = flags.contains(OpenFlags::CREAT) || flags.contains(OpenFlags::TMPFILE);
    if wanted_how.mode != 0 && !creates {
        return Err(Errno::EINVAL);
    }
    let bits = wanted_how.resolve;
    let links = resolve::NO_MAGICLINKS | resolve::NO_SYMLINKS;
    let both = resolve::BENEATH | resolve::IN_ROOT;
    let all = links | both | resolve::NO_XDEV | resolve::CACHED;
    if bits & !all != 0 || bits & both == both {
        return Err(Errno::EINVAL);
    }
    if bits & resolve::CACHED != 0 {
        return Err(Errno::EAGAIN);
    }
    let mode = u32::try_from(wanted_how.mode).map_err(|_| Errno::EINVAL)?;
    let how = how(thread, flags, mode)?;
    let path = thread.read_path(path.0)?;
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    let scoped = bits & both != 0;
    let start = if scoped {
        thread.directory(dirfd.0)?
    } else {
        thread.start(dirfd.0, &path)?
    };
    let root = if scoped {
        start.clone()
    } else {
        thread.process.root()
    };
    let rules = Rules {
        no_links: bits & resolve::NO_SYMLINKS != 0,
        no_magic_links: bits & resolve::NO_MAGICLINKS != 0,
        one_mount: bits & resolve::NO_XDEV != 0,
        scoped,
        beneath: bits & resolve::BENEATH != 0,
    };
    let walk = || {
        Walk::new(thread.process.mounts(), root.clone(), Some(&thread.process))
            .by(thread.tid())
            .with_rules(rules)
    };
    let file = thread.block(|| open(&thread.process, walk(), start.clone(), &path, how))?;
    install(
        thread,
        file,
        CloseOnExec::from_flag(flags.contains(OpenFlags::CLOEXEC)),
    )
}

fn install(thread: &Thread, file: Arc<OpenFile>, close_on_exec: CloseOnExec) -> Result<i32, Errno> {
    thread.process.install(file, close_on_exec)
}

pub(super) fn close(thread: &mut Thread, fd: Fd) -> Result<(), Errno> {
    let file = thread.process.with_files(|files| files.remove(fd.0))?;
    thread.process.after_close(&file);
    Ok(())
}

pub(super) fn close_range(
    thread: &mut Thread,
    first: Uint,
    last: Uint,
    flags: CloseRangeFlags,
) -> Result<(), Errno> {
    if first.0 > last.0 {
        return Err(Errno::EINVAL);
    }
    if flags.contains(CloseRangeFlags::UNSHARE) {
        if !thread.process.is_single() {
            return Err(Errno::EINVAL);
        }
        thread.process.unshare_files();
    }
    for fd in thread.process.descriptors() {
        if !(first.0..=last.0).contains(&fd.cast_unsigned()) {
            continue;
        }
        if flags.contains(CloseRangeFlags::CLOEXEC) {
            let _ = thread
                .process
                .with_files(|files| files.set_close_on_exec(fd, CloseOnExec::Yes));
        } else {
            close(thread, Fd(fd))?;
        }
    }
    Ok(())
}

pub(super) fn dup(thread: &mut Thread, old: Fd) -> Result<i32, Errno> {
    let file = thread.file(old.0)?;
    thread.process.install(file, CloseOnExec::No)
}

pub(super) fn dup3(thread: &mut Thread, old: Fd, new: Fd, flags: DupFlags) -> Result<i32, Errno> {
    if old.0 == new.0 {
        return Err(Errno::EINVAL);
    }
    let limit = thread.process.descriptor_limit();
    let close_on_exec = CloseOnExec::from_flag(flags.contains(DupFlags::CLOEXEC));
    let replaced = thread.process.with_files(|files| {
        let file = Arc::clone(files.get(old.0)?);
        files.replace(new.0, file, close_on_exec, limit)
    })?;
    if let Some(closed) = replaced {
        thread.process.after_close(&closed);
    }
    Ok(new.0)
}

pub(super) fn fcntl64(thread: &mut Thread, fd: Fd, cmd: FcntlCmd, arg: Hex) -> Result<i32, Errno> {
    let file = thread.file(fd.0)?;
    let process = &thread.process;
    match cmd.0 {
        fcntl::F_DUPFD | fcntl::F_DUPFD_CLOEXEC => {
            let from = usize::try_from(arg.0).map_err(|_| Errno::EINVAL)?;
            if from >= process.descriptor_limit() {
                return Err(Errno::EINVAL);
            }
            let close_on_exec = CloseOnExec::from_flag(cmd.0 == fcntl::F_DUPFD_CLOEXEC);
            process.install_from(file, close_on_exec, from)
        }
        fcntl::F_GETFD => {
            let flag = process.with_files(|files| files.close_on_exec(fd.0))?;
            Ok(i32::from(flag == CloseOnExec::Yes))
        }
        fcntl::F_SETFD => {
            let flag = CloseOnExec::from_flag(arg.0 & 1 != 0);
            process
                .with_files(|files| files.set_close_on_exec(fd.0, flag))
                .map(|()| 0)
        }
        fcntl::F_GETFL => match thread.world.async_io.is_watched(&file) {
            true => Ok(status_flags(&file)? | OpenFlags::ASYNC.bits().cast_signed()),
            false => status_flags(&file),
        },
        _ if file.is_path() => Err(Errno::EBADF),
        fcntl::F_SETFL => {
            set_async(thread, &file, fd.0, arg.0 & OpenFlags::ASYNC.bits() != 0)?;
            set_status_flags(&file, arg.0).map(|()| 0)
        }
        fcntl::F_GETLK64 | fcntl::F_OFD_GETLK => {
            let ptr = GuestPtr::<Flock64>::new(arg.0);
            let request = thread.memory().read(ptr)?;
            let others = thread.world.family.living();
            let mut found = if cmd.0 == fcntl::F_GETLK64 {
                process.locks.get(&file, &request, &others)?
            } else {
                locks::get_description_lock(&file, &request, &others)?
            };
            if u32::try_from(found.kind) == Ok(rawposix_abi::flags::lock::F_UNLCK) {
                found = Flock64 {
                    kind: found.kind,
                    ..request
                };
            }
            thread.memory().write(ptr, &found).map(|()| 0)
        }
        fcntl::F_SETLK64 | fcntl::F_SETLKW64 | fcntl::F_OFD_SETLK | fcntl::F_OFD_SETLKW => {
            let request = thread.memory().read(GuestPtr::<Flock64>::new(arg.0))?;
            let wait = match cmd.0 {
                fcntl::F_SETLKW64 | fcntl::F_OFD_SETLKW => Wait::Yes,
                _ => Wait::No,
            };
            let own = matches!(cmd.0, fcntl::F_SETLK64 | fcntl::F_SETLKW64);
            thread.block(|| {
                if own {
                    process.locks.set(process, &file, &request, wait)
                } else {
                    locks::set_description_lock(&file, &request, wait)
                }
            })?;
            Ok(0)
        }
        fcntl::F_GETPIPE_SZ => count(rustix::pipe::fcntl_getpipe_size(&pipe(&file)?.fd)?),
        fcntl::F_SETPIPE_SZ => {
            let size = usize::try_from(arg.0).map_err(|_| Errno::EINVAL)?;
            count(rustix::pipe::fcntl_setpipe_size(&pipe(&file)?.fd, size)?)
        }
        fcntl::F_ADD_SEALS => {
            let seals = SealFlags::from_bits_retain(arg.0);
            let host = file.host().map_err(|_| Errno::EINVAL)?;
            rustix::fs::fcntl_add_seals(&host.fd, seals)?;
            Ok(0)
        }
        fcntl::F_GET_SEALS => {
            let host = file.host().map_err(|_| Errno::EINVAL)?;
            Ok(rustix::fs::fcntl_get_seals(&host.fd)?.bits().cast_signed())
        }
        fcntl::F_GET_RW_HINT | fcntl::F_SET_RW_HINT => {
            let (hints, ptr) = (&thread.world.write_hints, GuestPtr::<u64>::new(arg.0));
            let host = file.any_fd().ok_or(Errno::EINVAL)?;
            if cmd.0 == fcntl::F_SET_RW_HINT {
                hints.set(host, thread.memory().read(ptr)?)?;
            } else {
                thread.memory().write(ptr, &hints.get(host)?)?;
            }
            Ok(0)
        }
        fcntl::F_SETOWN | fcntl::F_GETOWN | fcntl::F_SETOWN_EX | fcntl::F_GETOWN_EX => {
            owner(thread, &file, cmd.0, arg.0)
        }
        fcntl::F_GETSIG => {
            let signal = thread.world.async_io.signal(&file);
            Ok(signal.map_or(0, |signal| i32::from(signal.raw())))
        }
        fcntl::F_SETSIG => {
            let signal = match arg.0 {
                0 => None,
                number => Some(Signal::from_raw(number).ok_or(Errno::EINVAL)?),
            };
            thread
                .world
                .async_io
                .set_signal(&thread.world, &file, signal);
            Ok(0)
        }
        // There are no leases here: none to tell of, none to give up.
        fcntl::F_GETLEASE => Ok(rawposix_abi::flags::lock::F_UNLCK.cast_signed()),
        fcntl::F_SETLEASE if arg.0 == rawposix_abi::flags::lock::F_UNLCK => Err(Errno::EAGAIN),
        // Nothing is told of directories, so there is nothing to stop.
        fcntl::F_NOTIFY if arg.0 & !DN_MULTISHOT == 0 => Ok(0),
        fcntl::F_NOTIFY if file.directory().is_none() => Err(Errno::ENOTDIR),
        _ => Err(Errno::EINVAL),
    }
}

fn count(size: usize) -> Result<i32, Errno> {
    i32::try_from(size).map_err(|_| Errno::EOVERFLOW)
}

fn pipe(file: &OpenFile) -> Result<&crate::fd::HostFile, Errno> {
    file.host().map_err(|_| Errno::EBADF)
}

/// F_GETFL: the host knows the flags of its descriptors; libc expects `O_LARGEFILE` on 32-bit Linux.
fn status_flags(file: &OpenFile) -> Result<i32, Errno> {
    let flags = match file.object() {
        Object::Host(host) => {
            // The host's opens do not follow links that the guest's do.
            let status = rustix::fs::fcntl_getfl(&host.fd)? - OFlags::NOFOLLOW;
            let asked = file.flags & OpenFlags::NOFOLLOW;
            status.bits() | (asked | OpenFlags::LARGEFILE).bits()
        }
        Object::Dir(_) => {
            let forgotten =
                OpenFlags::CREAT | OpenFlags::EXCL | OpenFlags::NOCTTY | OpenFlags::TRUNC;
            (file.flags - forgotten - OpenFlags::CLOEXEC).bits()
        }
        Object::Path(_) => (file.flags & (PATH_FLAGS - OpenFlags::CLOEXEC)).bits(),
        Object::Own(own) => {
            let mut flags = file.flags - OpenFlags::CLOEXEC;
            flags.set(OpenFlags::NONBLOCK, own.is_nonblocking());
            flags.bits()
        }
    };
    Ok(flags.cast_signed())
}

/// F_SETFL changes only these; `O_ASYNC` needs signals.
fn set_status_flags(file: &OpenFile, flags: u32) -> Result<(), Errno> {
    let host = match file.object() {
        Object::Host(host) => host,
        Object::Own(own) => {
            own.set_nonblocking(flags & OpenFlags::NONBLOCK.bits() != 0);
            return Ok(());
        }
        Object::Dir(_) | Object::Path(_) => return Ok(()),
    };
    let changeable = OFlags::APPEND | OFlags::NONBLOCK | OFlags::DIRECT | OFlags::NOATIME;
    let current = rustix::fs::fcntl_getfl(&host.fd)?;
    let wanted = (current - changeable) | (OFlags::from_bits_retain(flags) & changeable);
    Ok(rustix::fs::fcntl_setfl(&host.fd, wanted)?)
}

pub(super) fn pipe2(thread: &mut Thread, fds: Out<FdPair>, flags: PipeFlags) -> Result<(), Errno> {
    let mut host_flags = rustix::pipe::PipeFlags::CLOEXEC;
    host_flags.set(
        rustix::pipe::PipeFlags::NONBLOCK,
        flags.contains(PipeFlags::NONBLOCK),
    );
    host_flags.set(
        rustix::pipe::PipeFlags::DIRECT,
        flags.contains(PipeFlags::DIRECT),
    );
    let (read, write) = rustix::pipe::pipe_with(host_flags)?;
    let inode = rustix::fs::fstat(&read)?.st_ino;
    let origin = Origin::Nameless(format!("pipe:[{inode}]"));
    let close_on_exec = CloseOnExec::from_flag(flags.contains(PipeFlags::CLOEXEC));
    let read = OpenFile::host_file(read, origin.clone(), OpenFlags::empty());
    let write = OpenFile::host_file(write, origin, OpenFlags::WRONLY);
    let first = thread.process.install(read, close_on_exec)?;
    let second = thread.process.install(write, close_on_exec);
    let stored = second.and_then(|second| {
        let pair = FdPair { first, second };
        thread.memory().write(fds.0, &pair).inspect_err(|_| {
            let _ = thread.process.with_files(|files| files.remove(second));
        })
    });
    stored.inspect_err(|_| {
        let _ = thread.process.with_files(|files| files.remove(first));
    })
}

pub(super) fn flock(thread: &mut Thread, fd: Fd, operation: FlockOp) -> Result<(), Errno> {
    let nonblocking = operation.contains(FlockOp::NB);
    let operation = match (operation - FlockOp::NB, nonblocking) {
        (op, false) if op == FlockOp::SH => FlockOperation::LockShared,
        (op, false) if op == FlockOp::EX => FlockOperation::LockExclusive,
        (op, true) if op == FlockOp::SH => FlockOperation::NonBlockingLockShared,
        (op, true) if op == FlockOp::EX => FlockOperation::NonBlockingLockExclusive,
        (op, _) if op == FlockOp::UN => FlockOperation::Unlock,
        _ => return Err(Errno::EINVAL),
    };
    let file = thread.file(fd.0)?;
    if file.is_path() {
        return Err(Errno::EBADF);
    }
    match file.any_fd() {
        Some(host) => thread.block(|| rustix::fs::flock(host, operation).map_err(Errno::from)),
        None => Ok(()),
    }
}

pub(super) fn memfd_create(
    thread: &mut Thread,
    name: Str,
    flags: MemfdFlags,
) -> Result<i32, Errno> {
    let name = thread
        .memory()
        .read_cstr(name.0, 250)
        .map_err(|errno| match errno {
            Errno::ENAMETOOLONG => Errno::EINVAL,
            errno => errno,
        })?;
    let host_flags =
        rustix::fs::MemfdFlags::from_bits_retain(flags.bits()) | rustix::fs::MemfdFlags::CLOEXEC;
    let fd = rustix::fs::memfd_create(&*name, host_flags)?;
    let label = format!("/memfd:{} (deleted)", name.to_string_lossy());
    let file = OpenFile::host_file(fd, Origin::Nameless(label), OpenFlags::RDWR);
    install(
        thread,
        file,
        CloseOnExec::from_flag(flags.contains(MemfdFlags::CLOEXEC)),
    )
}

/// What `/proc/self/fd` shows of an eventfd.
/// The bit of F_NOTIFY that is no event.
const DN_MULTISHOT: u32 = 0x8000_0000;

const EVENTFD: &str = "anon_inode:[eventfd]";

/// Whether a file is an eventfd.
pub(super) fn is_eventfd(file: &OpenFile) -> bool {
    let origin = file.host().map(|host| &host.origin);
    matches!(origin, Ok(Origin::Nameless(label)) if label == EVENTFD)
}

pub(super) fn eventfd2(
    thread: &mut Thread,
    initial: Uint,
    flags: EventfdFlags,
) -> Result<i32, Errno> {
    let mut host_flags = rustix::event::EventfdFlags::CLOEXEC;
    host_flags.set(
        rustix::event::EventfdFlags::NONBLOCK,
        flags.contains(EventfdFlags::NONBLOCK),
    );
    host_flags.set(
        rustix::event::EventfdFlags::SEMAPHORE,
        flags.contains(EventfdFlags::SEMAPHORE),
    );
    let fd = rustix::event::eventfd(initial.0, host_flags)?;
    let origin = Origin::Nameless(String::from(EVENTFD));
    let file = OpenFile::host_file(fd, origin, OpenFlags::RDWR);
    install(
        thread,
        file,
        CloseOnExec::from_flag(flags.contains(EventfdFlags::CLOEXEC)),
    )
}
