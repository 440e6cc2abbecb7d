//! Names: making, removing, moving, listing them; the working directory.
//! See path_resolution(7), rename(2), link(2), getdents(2).

mod link;
mod place;
mod reading;
mod working_directory;

pub(super) use link::linkat;
pub(super) use reading::{getdents64, name_to_handle_at, readlinkat};
pub(super) use working_directory::{chdir, chroot, fchdir, getcwd, umask};

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{AT_FDCWD, AtFlags, RenameFlags};
use rustix::fs::FileType;

use super::args::{DirFd, Hex, Mode, Path, Str};
use crate::fs::dir::Dir;
use crate::fs::node::Node;
use crate::fs::owners::on_host;
use crate::fs::permission::{Guard, Rights};
use crate::fs::walk::Entry;
use crate::landlock::FileAccess;
use crate::thread::Thread;
use place::{
    Changeable, change, changeable, check_domain, forget, has_mounts, make, named, new_entry,
};

pub(super) fn mkdirat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    mode: Mode,
) -> Result<(), Errno> {
    let place = new_entry(thread, dirfd.0, path.0)?;
    let mode = thread.process.umask().apply(mode.0 & 0o1777);
    make(thread, &place, (FileType::Directory, 0), |name| {
        rustix::fs::mkdirat(&place.dir, name, mode)
    })
}

pub(super) fn mknodat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    mode: Mode,
    dev: Hex,
) -> Result<(), Errno> {
    let _ = dev;
    let kind = match mode.0 & 0o170_000 {
        0 | 0o100_000 => FileType::RegularFile,
        0o010_000 => FileType::Fifo,
        0o040_000 => return Err(Errno::EPERM),
        0o140_000 => FileType::Socket,
        0o020_000 | 0o060_000 => return Err(Errno::EPERM),
        _ => return Err(Errno::EINVAL),
    };
    let place = new_entry(thread, dirfd.0, path.0)?;
    let permissions = thread.process.umask().apply(mode.0);
    make(thread, &place, (kind, mode.0), |name| {
        rustix::fs::mknodat(&place.dir, name, kind, permissions, 0)
    })
}

/// Makes the file of a unix socket: gives a handle of it. `EADDRINUSE` when the name is taken.
pub(super) fn make_socket(thread: &Thread, path: &[u8]) -> Result<Arc<OwnedFd>, Errno> {
    let entry = thread.entry(AT_FDCWD, path, Errno::EADDRINUSE)?;
    let place = changeable(thread, &entry, Some(Errno::EADDRINUSE))?;
    let mode = thread.process.umask().apply(0o777);
    let made = make(thread, &place, (FileType::Socket, 0), |name| {
        rustix::fs::mknodat(&place.dir, name, FileType::Socket, mode, 0)
    });
    made.map_err(|errno| match errno {
        Errno::EEXIST => Errno::EADDRINUSE,
        errno => errno,
    })?;
    match thread.walk().lookup(&entry.dir, &entry.name)? {
        Node::Host(host) if host.kind == FileType::Socket => Ok(host.fd),
        // Somebody else has put another file there meanwhile.
        _ => Err(Errno::EADDRINUSE),
    }
}

pub(super) fn symlinkat(
    thread: &mut Thread,
    target: Str,
    dirfd: DirFd,
    path: Path,
) -> Result<(), Errno> {
    let target = thread.read_path(target.0)?;
    if target.is_empty() {
        return Err(Errno::ENOENT);
    }
    let place = new_entry(thread, dirfd.0, path.0)?;
    make(thread, &place, (FileType::Symlink, 0), |name| {
        rustix::fs::symlinkat(&*target, &place.dir, name)
    })
}

pub(super) fn unlinkat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    flags: AtFlags,
) -> Result<(), Errno> {
    if !AtFlags::REMOVEDIR.contains(flags) {
        return Err(Errno::EINVAL);
    }
    let directory = flags.contains(AtFlags::REMOVEDIR);
    let path = thread.read_path(path.0)?;
    let end = path
        .iter()
        .rposition(|&byte| byte != b'/')
        .map_or(0, |at| at + 1);
    let shown = path.get(..end).unwrap_or_default();
    let last = match (directory, shown.ends_with(b".."), shown.ends_with(b".")) {
        (true, true, _) => Errno::ENOTEMPTY,
        (true, false, true) => Errno::EINVAL,
        (true, false, false) => Errno::EBUSY,
        (false, ..) => Errno::EISDIR,
    };
    let entry = thread.entry(dirfd.0, &path, last)?;
    let place = changeable(thread, &entry, None)?;
    if directory && has_mounts(thread, &place) {
        return Err(Errno::EBUSY);
    }
    let host_flags = if directory {
        rustix::fs::AtFlags::REMOVEDIR
    } else {
        rustix::fs::AtFlags::empty()
    };
    if let Some(guard) = thread.process.guard() {
        guard.check_removal(&place.dir, place.plain_name())?;
    }
    if thread.process.is_restricted() && on_host(&place.dir, place.plain_name()).is_ok() {
        // Whatever the file is, which is looked at later.
        let access = if directory {
            FileAccess::REMOVE_DIR
        } else {
            FileAccess::REMOVE_FILE
        };
        check_domain(thread, &place, access)?;
    }
    let named = named(thread, &place);
    rustix::fs::unlinkat(&place.dir, &*place.name, host_flags)?;
    forget(thread, &place, named);
    Ok(())
}

pub(super) fn renameat2(
    thread: &mut Thread,
    olddirfd: DirFd,
    oldpath: Path,
    newdirfd: DirFd,
    newpath: Path,
    flags: RenameFlags,
) -> Result<(), Errno> {
    let exclusive = RenameFlags::NOREPLACE | RenameFlags::EXCHANGE;
    if flags.contains(exclusive) || flags.contains(RenameFlags::EXCHANGE | RenameFlags::WHITEOUT) {
        return Err(Errno::EINVAL);
    }
    if flags.contains(RenameFlags::WHITEOUT) {
        return Err(Errno::EPERM);
    }
    let (old, new) = (thread.read_path(oldpath.0)?, thread.read_path(newpath.0)?);
    // Both ways are gone before the last names are looked at.
    let from = reached(thread.entry(olddirfd.0, &old, Errno::EBUSY))?;
    let to = reached(thread.entry(newdirfd.0, &new, Errno::EBUSY))?;
    let existing = if flags.contains(RenameFlags::NOREPLACE) {
        Errno::EEXIST
    } else {
        Errno::EBUSY
    };
    let (from, to) = (from.ok_or(Errno::EBUSY)?, to.ok_or(existing)?);
    let from = changeable(thread, &from, None)?;
    let to = match changeable(thread, &to, Some(existing)) {
        // Another file system, whatever else it is.
        Err(Errno::EROFS) if !same_mount(&from, &to) => return Err(Errno::EXDEV),
        place => place?,
    };
    if from.dir.mount != to.dir.mount {
        return Err(Errno::EXDEV);
    }
    if let Some(guard) = thread.process.guard() {
        check_rename(&guard, &from, &to, flags)?;
    }
    if thread.process.is_restricted() {
        check_domain_to_rename(thread, (&from, &to), flags)?;
    }
    let replaced = if flags.contains(RenameFlags::EXCHANGE) {
        None
    } else {
        let moved = named(thread, &from).map(|named| named.file);
        let replaced = named(thread, &to);
        replaced.filter(|named| moved != Some(named.file))
    };
    let flags = rustix::fs::RenameFlags::from_bits_retain(flags.bits());
    let (source, target) = ((&from.dir, &*from.name), (&to.dir, &*to.name));
    rustix::fs::renameat_with(source.0, source.1, target.0, target.1, flags)?;
    forget(thread, &to, replaced);
    Ok(())
}

/// Whether the caller may move a file, where the host does not ask.
fn check_rename(
    guard: &Guard<'_>,
    from: &Changeable,
    to: &Changeable,
    flags: RenameFlags,
) -> Result<(), Errno> {
    let moved = guard.check_removal(&from.dir, from.plain_name())?;
    let replaced = if flags.contains(RenameFlags::NOREPLACE) {
        guard.check_new(&to.dir, to.plain_name()).map(|()| None)?
    } else {
        match guard.check_removal(&to.dir, to.plain_name()) {
            Err(Errno::ENOENT) => guard.check(&*to.dir, Rights::CHANGE_NAMES).map(|()| None)?,
            replaced => replaced.map(Some)?,
        }
    };
    guard.check_move(&moved, &from.dir, from.plain_name(), to.dir.id)?;
    match replaced {
        Some(file) if flags.contains(RenameFlags::EXCHANGE) => {
            guard.check_move(&file, &to.dir, to.plain_name(), from.dir.id)
        }
        _ => Ok(()),
    }
}

/// Whether the caller's domain lets it move a file. What rename(2) refuses anyway is left to the host.
fn check_domain_to_rename(
    thread: &Thread,
    (from, to): (&Changeable, &Changeable),
    flags: RenameFlags,
) -> Result<(), Errno> {
    let (from, to) = (change(thread, from), change(thread, to));
    let exchanges = flags.contains(RenameFlags::EXCHANGE);
    let is_there = from.kind.is_some() && (to.kind.is_some() || !exchanges);
    let is_free = to.kind.is_none() || !flags.contains(RenameFlags::NOREPLACE);
    if is_there && is_free {
        thread
            .process
            .check_domain_to_refer((&from, &to), true, exchanges)
    } else {
        Ok(())
    }
}

/// The entry that a path leads to; nothing where its last part is `.` or `..`.
fn reached(entry: Result<Entry, Errno>) -> Result<Option<Entry>, Errno> {
    match entry {
        Err(Errno::EBUSY) => Ok(None),
        entry => entry.map(Some),
    }
}

fn same_mount(from: &Changeable, to: &Entry) -> bool {
    matches!(&to.dir, Dir::Host(host) if host.mount == from.dir.mount)
}
