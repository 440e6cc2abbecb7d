//! Names: making, removing, moving, listing them; the working directory.
//! See path_resolution(7), rename(2), link(2), getdents(2).

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{AT_FDCWD, AtFlags, RenameFlags};
use rawposix_memory::{GuestCStr, GuestPtr};
use rustix::fs::{Access, CWD, FileType};

use super::args::{DirFd, Fd, Hex, Len, Mode, OutStr, Path, Ptr, Str};
use super::io::listed_directory;
use crate::cage::{Capability, Umask};
use crate::fd::OpenFile;
use crate::fs::dir::{Dir, FileId, HostDir};
use crate::fs::listing::{ListedName, read_names};
use crate::fs::node::{Node, proc_path};
use crate::fs::owners::{Maker, on_host};
use crate::fs::permission::{Guard, Rights};
use crate::fs::place;
use crate::fs::quota::Inode;
use crate::fs::walk::{Entry, Follow};
use crate::thread::Thread;

pub(super) fn getcwd(thread: &mut Thread, buf: OutStr, size: Len) -> Result<usize, Errno> {
    let path = place::path_of_dir(thread.process.mounts(), &thread.process.cwd())?;
    let mut path = place::seen(&thread.process, path)
        .unwrap_or_else(|path| [b"(unreachable)", &*path].concat());
    path.push(0);
    if path.len() > usize::try_from(size.0).unwrap_or(usize::MAX) {
        return Err(Errno::ERANGE);
    }
    thread.memory().write_bytes(buf.0, &path)?;
    Ok(path.len())
}

pub(super) fn chdir(thread: &mut Thread, path: Path) -> Result<(), Errno> {
    let path = thread.read_path(path.0)?;
    match thread.node(AT_FDCWD, &path, Follow::Yes)? {
        Node::Dir(dir) => enter(thread, dir),
        _ => Err(Errno::ENOTDIR),
    }
}

pub(super) fn fchdir(thread: &mut Thread, fd: Fd) -> Result<(), Errno> {
    let dir = thread.file(fd.0)?.directory().ok_or(Errno::ENOTDIR)?;
    enter(thread, dir)
}

pub(super) fn chroot(thread: &mut Thread, path: Path) -> Result<(), Errno> {
    let path = thread.read_path(path.0)?;
    let Node::Dir(dir) = thread.node(AT_FDCWD, &path, Follow::Yes)? else {
        return Err(Errno::ENOTDIR);
    };
    check_search(thread, &dir)?;
    let caller = thread.process.credentials();
    if !caller.can(Capability::SysChroot) {
        return Err(Errno::EPERM);
    }
    thread.process.with_context(|context| context.root = dir);
    Ok(())
}

/// Fails for a directory that may not be searched.
fn check_search(thread: &Thread, dir: &Dir) -> Result<(), Errno> {
    if let Dir::Host(host) = dir {
        if let Some(guard) = thread.process.guard() {
            guard.check(host, Rights::EXECUTE)?;
        }
        rustix::fs::accessat(host, c".", Access::EXEC_OK, rustix::fs::AtFlags::empty())?;
    }
    Ok(())
}

/// Makes a directory the working directory, if it may be searched.
fn enter(thread: &Thread, dir: Dir) -> Result<(), Errno> {
    check_search(thread, &dir)?;
    thread.process.with_context(|context| context.cwd = dir);
    Ok(())
}

pub(super) fn umask(thread: &mut Thread, mask: Mode) -> Result<u32, Errno> {
    Ok(thread
        .process
        .with_context(|context| std::mem::replace(&mut context.umask, Umask(mask.0 & 0o777)).0))
}

/// A name in a host directory that may be changed: what is no host directory, a read-only mount or a mount point is
/// not. `exists` is the answer for a name that is there already in a place that cannot change.
struct Changeable {
    dir: Arc<HostDir>,
    name: Vec<u8>,
}

impl Changeable {
    /// The name without a slash behind it.
    fn plain_name(&self) -> &[u8] {
        self.name.strip_suffix(b"/").unwrap_or(&self.name)
    }
}

fn changeable(thread: &Thread, entry: &Entry, exists: Option<Errno>) -> Result<Changeable, Errno> {
    let mounts = thread.process.mounts();
    let present = || thread.walk().lookup(&entry.dir, &entry.name).map(|_| ());
    let Dir::Host(host) = &entry.dir else {
        // A synthetic tree: what is there is there for good, and nothing is added.
        return match (present(), exists) {
            (Ok(()), Some(errno)) => Err(errno),
            (Ok(()), None) => Err(Errno::EBUSY),
            (Err(_), Some(_)) => Err(match &entry.dir {
                Dir::Proc(_) => Errno::ENOENT,
                Dir::Terminals => Errno::EPERM,
                Dir::Static(_) | Dir::Host(_) => Errno::EROFS,
            }),
            (Err(errno), None) => Err(errno),
        };
    };
    if mounts.covering(host, &entry.name).is_some() {
        return Err(exists.unwrap_or(Errno::EBUSY));
    }
    if mounts.is_read_only(host.mount) {
        return match (present(), exists) {
            (Ok(()), Some(errno)) => Err(errno),
            (Err(Errno::ENOENT), None) => Err(Errno::ENOENT),
            _ => Err(Errno::EROFS),
        };
    }
    let mut name = entry.name.clone();
    if entry.slash {
        name.push(b'/');
    }
    let dir = Arc::clone(host);
    Ok(Changeable { dir, name })
}

fn new_entry(thread: &Thread, dirfd: i32, path: GuestCStr) -> Result<Changeable, Errno> {
    let path = thread.read_path(path)?;
    let entry = thread.entry(dirfd, &path, Errno::EEXIST)?;
    changeable(thread, &entry, Some(Errno::EEXIST))
}

/// Makes a file of the caller's; of `mode`, its set-id bits count.
fn make(
    thread: &Thread,
    place: &Changeable,
    mode: u32,
    make: impl FnOnce(&[u8]) -> rustix::io::Result<()>,
) -> Result<(), Errno> {
    check_new(thread, place)?;
    let maker = Maker::of(&thread.process, &place.dir, mode)?;
    within_inodes(thread, place, || make(&place.name))?;
    match maker {
        Some(maker) => maker.made(&thread.process, &place.dir, place.plain_name()),
        None => Ok(()),
    }
}

/// Whether the caller may make a name, where the host does not ask.
fn check_new(thread: &Thread, place: &Changeable) -> Result<(), Errno> {
    match thread.process.guard() {
        Some(guard) => guard.check_new(&place.dir, place.plain_name()),
        None => Ok(()),
    }
}

/// Makes a name, if there is an inode for it; that is the last thing that can be wrong.
fn within_inodes(
    thread: &Thread,
    place: &Changeable,
    make: impl FnOnce() -> rustix::io::Result<()>,
) -> Result<(), Errno> {
    match thread.process.mounts().take_inode(place.dir.mount) {
        Ok(inode) => {
            make()?;
            inode.into_iter().for_each(Inode::keep);
            Ok(())
        }
        Err(errno) => match on_host(&place.dir, place.plain_name()) {
            Ok(_) => Err(Errno::EEXIST),
            Err(_) => Err(errno),
        },
    }
}

pub(super) fn mkdirat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    mode: Mode,
) -> Result<(), Errno> {
    let place = new_entry(thread, dirfd.0, path.0)?;
    let mode = thread.process.umask().apply(mode.0 & 0o1777);
    make(thread, &place, 0, |name| {
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
    make(thread, &place, mode.0, |name| {
        rustix::fs::mknodat(&place.dir, name, kind, permissions, 0)
    })
}

/// Makes the file of a unix socket: gives a handle of it. `EADDRINUSE` when the name is taken.
pub(super) fn make_socket(thread: &Thread, path: &[u8]) -> Result<Arc<OwnedFd>, Errno> {
    let entry = thread.entry(AT_FDCWD, path, Errno::EADDRINUSE)?;
    let place = changeable(thread, &entry, Some(Errno::EADDRINUSE))?;
    let mode = thread.process.umask().apply(0o777);
    let made = make(thread, &place, 0, |name| {
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
    make(thread, &place, 0, |name| {
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
    let named = named(thread, &place);
    rustix::fs::unlinkat(&place.dir, &*place.name, host_flags)?;
    forget(thread, &place, named);
    Ok(())
}

/// The file behind a name that is about to be removed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Named {
    file: FileId,
    /// It has no other name.
    is_last: bool,
}

/// The file behind a name, if rawposix keeps something of files.
fn named(thread: &Thread, place: &Changeable) -> Option<Named> {
    let quota = thread.process.mounts().quota(place.dir.mount);
    if thread.world.owners.is_empty() && quota.is_none() {
        return None;
    }
    let stat = on_host(&place.dir, place.plain_name()).ok()?;
    let is_directory = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Directory;
    Some(Named {
        file: FileId {
            device: rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
        },
        is_last: stat.stx_nlink <= 1 || is_directory,
    })
}

/// The name of a file is gone.
fn forget(thread: &Thread, place: &Changeable, named: Option<Named>) {
    let Some(Named { file, is_last }) = named else {
        return;
    };
    let quota = thread.process.mounts().quota(place.dir.mount);
    if is_last {
        thread.world.owners.forget(file);
    }
    match quota {
        Some(quota) if is_last => quota.unnamed(file.inode),
        Some(quota) => quota.lost_name(),
        None => {}
    }
}

/// Whether something is mounted in the directory with this name; it must stay.
fn has_mounts(thread: &Thread, place: &Changeable) -> bool {
    match thread
        .walk()
        .lookup(&Dir::Host(Arc::clone(&place.dir)), place.plain_name())
    {
        Ok(Node::Dir(Dir::Host(dir))) => thread.process.mounts().covered(&dir).is_some(),
        _ => false,
    }
}

pub(super) fn linkat(
    thread: &mut Thread,
    olddirfd: DirFd,
    oldpath: Path,
    newdirfd: DirFd,
    newpath: Path,
    flags: AtFlags,
) -> Result<(), Errno> {
    if !(AtFlags::SYMLINK_FOLLOW | AtFlags::EMPTY_PATH).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let follow = if flags.contains(AtFlags::SYMLINK_FOLLOW) {
        Follow::Yes
    } else {
        Follow::No
    };
    let old = thread.read_path(oldpath.0)?;
    if old.is_empty() && flags.contains(AtFlags::EMPTY_PATH) {
        // Needs CAP_DAC_READ_SEARCH.
        return Err(Errno::ENOENT);
    }
    let node = thread.node(olddirfd.0, &old, follow)?;
    let place = new_entry(thread, newdirfd.0, newpath.0)?;
    let (source, mount) = match &node {
        Node::Dir(_) | Node::Shortcut(_) => return Err(refused_link(&place)),
        Node::Host(host) => (Arc::clone(&host.fd), host.mount),
        Node::Open(file) => return link_open_file(thread, file, &place),
        Node::Device(_) | Node::Link(_) | Node::Proc(_) => return Err(Errno::EXDEV),
    };
    if mount != place.dir.mount {
        return Err(Errno::EXDEV);
    }
    check_link(thread, &*source, &place)?;
    if node_is_link(&node) {
        link_link(thread, olddirfd.0, &old, &place)
    } else {
        link(thread, &*source, &place)
    }
}

/// Whether the caller may give a file this further name, where the host does not ask.
fn check_link(thread: &Thread, source: impl AsFd, place: &Changeable) -> Result<(), Errno> {
    check_new(thread, place)?;
    match thread.process.guard() {
        Some(guard) => guard.check_link(source),
        None => Ok(()),
    }
}

/// Why a directory gets no further name: the name is looked at first.
fn refused_link(place: &Changeable) -> Errno {
    let name = place.name.strip_suffix(b"/");
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    match rustix::fs::statat(&place.dir, name.unwrap_or(&place.name), flags) {
        Ok(_) => Errno::EEXIST,
        Err(_) if name.is_some() => Errno::ENOENT,
        Err(_) => Errno::EPERM,
    }
}

fn node_is_link(node: &Node) -> bool {
    matches!(node, Node::Host(host) if host.kind == FileType::Symlink)
}

/// Links an open file, such as one made with `O_TMPFILE`, through its name in `/proc/self/fd`.
fn link_open_file(thread: &Thread, file: &OpenFile, place: &Changeable) -> Result<(), Errno> {
    match file.object() {
        crate::fd::Object::Host(host) if matches!(host.origin, crate::fd::Origin::Mount(m) if m == place.dir.mount) =>
        {
            check_link(thread, &host.fd, place)?;
            let is_nameless = rustix::fs::fstat(&host.fd)?.st_nlink == 0;
            link(thread, &host.fd, place)?;
            if let Some(quota) = thread.process.mounts().quota(place.dir.mount) {
                quota.named(FileId::of(&host.fd)?.inode);
                if is_nameless {
                    // It had its inode before.
                    quota.lost_name();
                }
            }
            Ok(())
        }
        _ => Err(Errno::EXDEV),
    }
}

/// Gives the object behind a handle a name; the host resolves no path but the handle's own.
fn link(thread: &Thread, source: impl AsFd, place: &Changeable) -> Result<(), Errno> {
    let flags = rustix::fs::AtFlags::SYMLINK_FOLLOW;
    within_inodes(thread, place, || {
        rustix::fs::linkat(CWD, proc_path(source), &place.dir, &*place.name, flags)
    })
}

/// Gives a symbolic link another name: by its own, since a handle of it would be followed.
fn link_link(thread: &Thread, dirfd: i32, path: &[u8], place: &Changeable) -> Result<(), Errno> {
    match thread.entry(dirfd, path, Errno::EPERM)? {
        Entry {
            dir: Dir::Host(dir),
            name,
            slash: false,
        } if dir.mount == place.dir.mount => {
            let flags = rustix::fs::AtFlags::empty();
            within_inodes(thread, place, || {
                rustix::fs::linkat(&dir, &*name, &place.dir, &*place.name, flags)
            })
        }
        _ => Err(Errno::EXDEV),
    }
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
    let (from, to) = (from.ok_or(Errno::EBUSY)?, to.ok_or(Errno::EBUSY)?);
    let from = changeable(thread, &from, None)?;
    let existing = if flags.contains(RenameFlags::NOREPLACE) {
        Errno::EEXIST
    } else {
        Errno::EBUSY
    };
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

/// Checks the path; no file system here has handles.
pub(super) fn name_to_handle_at(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    handle: Ptr,
    mount_id: Ptr,
    flags: AtFlags,
) -> Result<(), Errno> {
    let _ = (handle, mount_id);
    if !(AtFlags::SYMLINK_FOLLOW | AtFlags::EMPTY_PATH).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let path = thread.read_path(path.0)?;
    if path.is_empty() {
        if !flags.contains(AtFlags::EMPTY_PATH) {
            return Err(Errno::ENOENT);
        }
        if dirfd.0 != AT_FDCWD {
            thread.file(dirfd.0)?;
        }
    } else {
        let follow = if flags.contains(AtFlags::SYMLINK_FOLLOW) {
            Follow::Yes
        } else {
            Follow::No
        };
        thread.node(dirfd.0, &path, follow)?;
    }
    Err(Errno::EOPNOTSUPP)
}

pub(super) fn readlinkat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    buf: OutStr,
    size: Len,
) -> Result<usize, Errno> {
    if size.0.cast_signed() <= 0 {
        return Err(Errno::EINVAL);
    }
    let path = thread.read_path(path.0)?;
    let mounts = thread.process.mounts();
    let node = if path.is_empty() {
        if dirfd.0 == AT_FDCWD {
            return Err(Errno::ENOENT);
        }
        // An O_PATH descriptor of a link names the link itself.
        match thread.file(dirfd.0)?.object() {
            crate::fd::Object::Path(node) => node.clone(),
            _ => return Err(Errno::ENOENT),
        }
    } else {
        thread.node(dirfd.0, &path, Follow::No)?
    };
    let text = match &node {
        Node::Host(host) if host.kind == FileType::Symlink => host.read_link()?,
        Node::Link(text) => text.clone(),
        Node::Open(file) => place::shown(&thread.process, place::link_to_file(mounts, file)?),
        Node::Shortcut(dir) => place::shown(&thread.process, place::link_to_dir(mounts, dir)?),
        _ if path.is_empty() => return Err(Errno::ENOENT),
        _ => return Err(Errno::EINVAL),
    };
    let length = text
        .len()
        .min(usize::try_from(size.0).unwrap_or(usize::MAX));
    thread
        .memory()
        .write_bytes(buf.0, text.get(..length).unwrap_or_default())?;
    Ok(length)
}

/// Bytes of the record for a name: a multiple of eight.
fn record_length(name: &ListedName) -> usize {
    (rawposix_abi::structs::DIRENT64_NAME + name.name.len() + 1).next_multiple_of(8)
}

pub(super) fn getdents64(
    thread: &mut Thread,
    fd: Fd,
    dirp: Ptr,
    count: Len,
) -> Result<usize, Errno> {
    let file = thread.file(fd.0)?;
    let (open, dir) = listed_directory(&file)?;
    let mut listing = open.listing.lock();
    if listing.names.is_none() {
        listing.names = Some(read_names(
            thread.process.mounts(),
            &thread.process,
            dir,
            open.readable(),
        )?);
    }
    let position = usize::try_from(listing.position).unwrap_or(usize::MAX);
    let names = listing.names.as_deref().unwrap_or_default();
    let room = usize::try_from(count.0).unwrap_or(usize::MAX);
    let mut records = Vec::new();
    let mut next = position;
    for name in names.get(position..).unwrap_or_default() {
        let length = record_length(name);
        if records.len() + length > room {
            break;
        }
        next += 1;
        let end = records.len() + length;
        records.extend_from_slice(&name.inode.to_le_bytes());
        records.extend_from_slice(&(next as u64).to_le_bytes());
        records.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
        records.push(name.kind);
        records.extend_from_slice(&name.name);
        records.resize(end, 0);
    }
    if records.is_empty() && position < names.len() {
        return Err(Errno::EINVAL);
    }
    let (before, after) = (listing.position, next as u64);
    listing.position = after;
    drop(listing);
    let stored = thread.memory().write_bytes(GuestPtr::new(dirp.0), &records);
    if stored.is_err() {
        // Records that cannot be stored are not consumed.
        let mut listing = open.listing.lock();
        if listing.position == after {
            listing.position = before;
        }
    }
    stored.map(|()| records.len())
}
