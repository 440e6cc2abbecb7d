//! open(2).

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rustix::fs::{AtFlags, FileType, MemfdFlags, Mode, OFlags, Stat};

use super::device::Device;
use super::dir::{Dir, FileId, HostDir};
use super::host::{is_for_writing, open_flags};
use super::listing::open_readable;
use super::mount::MountId;
use super::node::{HostNode, Node, reopen};
use super::owners::Maker;
use super::permission::Rights;
use super::procfs::ProcFile;
use super::quota::Inode;
use super::walk::{Entry, Parent, Walk};
use crate::cage::Process;
use crate::fd::{DirFile, HostFile, Object, OpenFile, Origin};
use crate::landlock::FileAccess;
use crate::terminal::{self, End};

/// How a file is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) flags: OpenFlags,
    /// Permissions of a file that is created.
    pub(crate) mode: Mode,
    /// The set-id bits of a file that is created, which the host does not learn.
    pub(crate) set_ids: u32,
}

impl How {
    fn has(self, flag: OpenFlags) -> bool {
        self.flags.contains(flag)
    }

    fn creates(self) -> bool {
        self.has(OpenFlags::CREAT)
    }

    fn is_path(self) -> bool {
        self.has(OpenFlags::PATH)
    }
}

/// Opens the object that a path leads to, creating a file where the flags say so.
pub(crate) fn open(
    process: &Process,
    mut walk: Walk<'_>,
    start: Dir,
    path: &[u8],
    how: How,
) -> Result<Arc<OpenFile>, Errno> {
    let mut parent = walk.parent(start, path)?;
    loop {
        let entry = match parent {
            Parent::Itself(dir) => {
                if how.has(OpenFlags::CREAT | OpenFlags::EXCL) {
                    return Err(Errno::EEXIST);
                }
                if how.creates() {
                    return Err(Errno::EISDIR);
                }
                return open_node(process, Node::Dir(dir), how);
            }
            Parent::Entry(entry) => entry,
        };
        let text = match open_entry(process, &walk, &entry, how)? {
            Opened::File(file) => return Ok(file),
            Opened::Link(text) => text,
            Opened::Magic(node) => {
                if how.has(OpenFlags::CREAT | OpenFlags::EXCL) {
                    return Err(Errno::EEXIST);
                }
                return open_node(process, walk.through(&entry.dir, node)?, how);
            }
        };
        parent = walk.follow(&entry, &text)?;
    }
}

/// What a name came to.
enum Opened {
    File(Arc<OpenFile>),
    /// A symbolic link that is to be followed.
    Link(Vec<u8>),
    /// A link of `/proc` that is to be followed.
    Magic(Node),
}

fn open_entry(
    process: &Process,
    walk: &Walk<'_>,
    entry: &Entry,
    how: How,
) -> Result<Opened, Errno> {
    let mounts = process.mounts();
    if let Dir::Host(host) = &entry.dir
        && mounts.covering(host, &entry.name).is_none()
    {
        walk.check_host_name(host, &entry.name)?;
        return if walk.guard().is_some() || process.is_restricted() {
            open_guarded(process, walk, (host, entry), how)
        } else {
            open_in_host(process, host, entry, how)
        };
    }
    if entry.slash && how.creates() {
        return Err(Errno::EISDIR);
    }
    let node = match walk.lookup(&entry.dir, &entry.name) {
        Err(Errno::ENOENT) if how.creates() => return Err(no_creation(&entry.dir)),
        node => node?,
    };
    open_found(process, node, entry, how)
}

/// Opens what has a name, or tells where it leads.
fn open_found(process: &Process, node: Node, entry: &Entry, how: How) -> Result<Opened, Errno> {
    let nofollow = how.has(OpenFlags::NOFOLLOW) && !entry.slash;
    match node {
        Node::Host(_) if how.has(OpenFlags::CREAT | OpenFlags::EXCL) => Err(Errno::EEXIST),
        Node::Host(link) if link.kind == FileType::Symlink && !nofollow => {
            Ok(Opened::Link(link.read_link()?))
        }
        Node::Link(_) | Node::Open(_) | Node::Shortcut(_) if nofollow && !how.is_path() => {
            Err(Errno::ELOOP)
        }
        Node::Link(text) if !nofollow => Ok(Opened::Link(text)),
        node @ (Node::Open(_) | Node::Shortcut(_)) if !nofollow => Ok(Opened::Magic(node)),
        _ if how.has(OpenFlags::CREAT | OpenFlags::EXCL) => Err(Errno::EEXIST),
        Node::Dir(_) if how.creates() => Err(Errno::EISDIR),
        node if entry.slash && !matches!(node, Node::Dir(_)) => Err(Errno::ENOTDIR),
        node => open_node(process, node, how).map(Opened::File),
    }
}

/// Opens a name in a host directory for a process that the host would refuse nothing: what is there is looked at before it
/// is opened.
fn open_guarded(
    process: &Process,
    walk: &Walk<'_>,
    (host, entry): (&Arc<HostDir>, &Entry),
    how: How,
) -> Result<Opened, Errno> {
    if entry.slash && how.creates() {
        return Err(Errno::EISDIR);
    }
    for _ in 0..RACES {
        match walk.lookup(&entry.dir, &entry.name) {
            Err(Errno::ENOENT) if how.creates() => {}
            node => return open_found(process, node?, entry, how),
        }
        if process.mounts().is_read_only(host.mount) {
            return Err(Errno::EROFS);
        }
        if let Some(guard) = walk.guard() {
            guard.check(host, Rights::CHANGE_NAMES)?;
        }
        process.check_domain_in(&entry.dir, FileAccess::MAKE_REG)?;
        let maker = Maker::of(process, host, how.set_ids)?;
        let inode = process.mounts().take_inode(host.mount)?;
        let flags = without_truncation(how.flags) | OFlags::NOFOLLOW | OFlags::EXCL;
        match rustix::fs::openat(host, &*entry.name, flags, how.mode) {
            Ok(fd) => {
                inode.into_iter().for_each(Inode::keep);
                if let Some(maker) = maker {
                    maker.made(process, &fd, b"")?;
                }
                // The file stays, as on Linux.
                process.check_domain_of_new(host.mount, &fd, how.flags)?;
                return adopt(process, fd, host.mount, how).map(Opened::File);
            }
            // Somebody else has made it a moment ago: look at that.
            Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(Errno::EAGAIN)
}

/// Why a file cannot be made in a synthetic directory.
fn no_creation(dir: &Dir) -> Errno {
    match dir {
        Dir::Proc(_) => Errno::ENOENT,
        Dir::Terminals => Errno::EACCES,
        Dir::Static(_) | Dir::Host(_) => Errno::EROFS,
    }
}

/// Opens a name in a host directory by one at-call that does not follow links.
fn open_in_host(
    process: &Process,
    host: &Arc<HostDir>,
    entry: &Entry,
    how: How,
) -> Result<Opened, Errno> {
    let read_only = process.mounts().is_read_only(host.mount);
    let mut flags = without_truncation(how.flags) | OFlags::NOFOLLOW;
    if entry.slash {
        if how.creates() {
            return Err(Errno::EISDIR);
        }
        flags |= OFlags::DIRECTORY;
    }
    if read_only && !how.is_path() {
        if is_for_writing(how.flags) || how.has(OpenFlags::TRUNC) {
            return Err(refusal(host, entry));
        }
        flags -= OFlags::CREATE;
    }
    let follow = !how.has(OpenFlags::NOFOLLOW) || entry.slash;
    let maker = if flags.contains(OFlags::CREATE) {
        Maker::of(process, host, how.set_ids)?
    } else {
        None
    };
    let counts = flags.contains(OFlags::CREATE) && process.mounts().quota(host.mount).is_some();
    let looks = maker.is_some() || counts;
    for _ in 0..RACES {
        // The inode is given back if the file is there already.
        let inode = if counts {
            process.mounts().take_inode(host.mount)
        } else {
            Ok(None)
        };
        let (opened, is_made) = if inode.is_err() {
            let flags = flags - OFlags::CREATE - OFlags::EXCL;
            let opened = rustix::fs::openat(host, &*entry.name, flags, Mode::empty());
            (opened, false)
        } else if looks {
            open_or_make(host, &entry.name, flags, how.mode)
        } else {
            let opened = rustix::fs::openat(host, &*entry.name, flags, how.mode);
            (opened, false)
        };
        match opened {
            Ok(_) if inode.is_err() && how.has(OpenFlags::EXCL) => return Err(Errno::EEXIST),
            Ok(fd) => {
                if let (Ok(Some(inode)), true) = (inode, is_made) {
                    inode.keep();
                }
                if let (Some(maker), true) = (maker, is_made) {
                    maker.made(process, &fd, b"")?;
                }
                let file = adopt(process, fd, host.mount, how)?;
                return match (file.object(), follow) {
                    (Object::Path(Node::Host(link)), true) if link.kind == FileType::Symlink => {
                        Ok(Opened::Link(link.read_link()?))
                    }
                    _ => Ok(Opened::File(file)),
                };
            }
            Err(errno @ (rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR)) if follow => {
                // A link in the last place shows itself by these two.
                match rustix::fs::readlinkat(host, &*entry.name, Vec::new()) {
                    Ok(text) => return Ok(Opened::Link(text.into_bytes())),
                    Err(rustix::io::Errno::INVAL) if errno == rustix::io::Errno::LOOP => {
                        // It was a link a moment ago: look again.
                    }
                    Err(rustix::io::Errno::INVAL) => return Err(errno.into()),
                    Err(errno) => return Err(errno.into()),
                }
            }
            // Somebody else has made it a moment ago: look again.
            Err(rustix::io::Errno::EXIST) if looks && !how.has(OpenFlags::EXCL) => {}
            Err(rustix::io::Errno::NOENT) if let Err(errno) = inode => return Err(errno),
            Err(rustix::io::Errno::NOENT) if read_only && how.creates() => {
                return Err(Errno::EROFS);
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(Errno::EAGAIN)
}

/// Opens a name, or makes it and tells so.
fn open_or_make(
    host: &HostDir,
    name: &[u8],
    flags: OFlags,
    mode: Mode,
) -> (rustix::io::Result<OwnedFd>, bool) {
    if !flags.contains(OFlags::EXCL) {
        match rustix::fs::openat(host, name, flags - OFlags::CREATE, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => {}
            opened => return (opened, false),
        }
    }
    let flags = flags | OFlags::CREATE | OFlags::EXCL;
    (rustix::fs::openat(host, name, flags, mode), true)
}

/// How often a name that changes between a link and a file is looked at.
const RACES: u32 = 1000;

/// What a read-only mount answers to a change: a missing name is missing, unless it would be created.
fn refusal(host: &HostDir, entry: &Entry) -> Errno {
    match rustix::fs::statat(host, &*entry.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => Errno::EISDIR,
        _ => Errno::EROFS,
    }
}

/// Makes a description of a freshly opened host descriptor.
pub(super) fn adopt(
    process: &Process,
    fd: OwnedFd,
    mount: MountId,
    how: How,
) -> Result<Arc<OpenFile>, Errno> {
    let stat = rustix::fs::fstat(&fd)?;
    process.mounts().admit(mount, &fd, stat.st_dev)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let flags = how.flags;
    let object = if kind == FileType::Directory {
        let id = FileId {
            device: stat.st_dev,
            inode: stat.st_ino,
        };
        if how.is_path() {
            Object::Path(Node::Dir(Dir::Host(Arc::new(HostDir { fd, mount, id }))))
        } else {
            let dir = Dir::Host(Arc::new(HostDir { fd, mount, id }));
            Object::Dir(DirFile::new(dir))
        }
    } else if how.is_path() {
        let fd = Arc::new(fd);
        Object::Path(Node::Host(HostNode { fd, mount, kind }))
    } else {
        Object::Host(claim(process, fd, mount, flags, &stat)?)
    };
    Ok(OpenFile::new(object, flags))
}

/// The host's flags for a file of a mount: what is executed must not be truncated, which is only known when it is open.
fn without_truncation(flags: OpenFlags) -> OFlags {
    let mut host = open_flags(flags);
    if is_for_writing(flags) {
        host -= OFlags::TRUNC;
    }
    host
}

/// What the host has opened [`without_truncation`], truncated if it was to be. `ETXTBSY` for the writer of a program
/// that runs.
fn claim(
    process: &Process,
    fd: OwnedFd,
    mount: MountId,
    flags: OpenFlags,
    stat: &Stat,
) -> Result<HostFile, Errno> {
    let mut file = HostFile::new(fd, Origin::Mount(mount));
    file.keeps_size = process.is_truncation_refused(mount, &file.fd);
    let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if let (true, Some(quota)) = (is_regular, process.mounts().quota(mount)) {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        file.quota = Some(quota.open(stat.st_ino, stat.st_nlink, size));
    }
    if is_regular && is_for_writing(flags) {
        let id = FileId {
            device: stat.st_dev,
            inode: stat.st_ino,
        };
        file.in_use = Some(process.world().busy.write(id)?);
        if flags.contains(OpenFlags::TRUNC) {
            rustix::fs::ftruncate(&file.fd, 0)?;
            if let Some(quota) = &file.quota {
                quota.cut(0);
            }
        }
    }
    Ok(file)
}

/// The object itself where a link of `/proc` leads to a handle of it, so that handles of handles do not get deeper and
/// deeper.
fn innermost(node: Node) -> Node {
    match &node {
        Node::Open(file) => match file.object() {
            Object::Path(inner) => inner.clone(),
            _ => node,
        },
        _ => node,
    }
}

/// Opens an object that is already known.
pub(crate) fn open_node(process: &Process, node: Node, how: How) -> Result<Arc<OpenFile>, Errno> {
    let flags = how.flags;
    if how.is_path() {
        if how.has(OpenFlags::DIRECTORY) && !matches!(node, Node::Dir(_)) {
            return Err(Errno::ENOTDIR);
        }
        let object = Object::Path(innermost(node));
        return Ok(OpenFile::new(object, flags));
    }
    process.check_domain_to_open(&node, flags)?;
    open_allowed(process, node, how)
}

/// The same for what a process's domain has been asked about.
pub(crate) fn open_allowed(
    process: &Process,
    node: Node,
    how: How,
) -> Result<Arc<OpenFile>, Errno> {
    let flags = how.flags;
    if let Node::Dir(dir) | Node::Shortcut(dir) = node {
        return open_dir(process, dir, how);
    }
    if how.has(OpenFlags::DIRECTORY) {
        return Err(Errno::ENOTDIR);
    }
    match node {
        Node::Host(host) => {
            if let Some(guard) = process.guard() {
                guard.check_open(&host.fd, flags)?;
            }
            let writes = is_for_writing(flags) || how.has(OpenFlags::TRUNC);
            if writes && process.mounts().is_read_only(host.mount) {
                return Err(Errno::EROFS);
            }
            let fd = host.open(without_truncation(flags))?;
            let stat = rustix::fs::fstat(&fd)?;
            let object = Object::Host(claim(process, fd, host.mount, flags, &stat)?);
            Ok(OpenFile::new(object, flags))
        }
        Node::Device(Device::Tty) => terminal::open_controlling(process, flags),
        Node::Device(Device::Ptmx) => terminal::open_master(process, flags),
        Node::Device(Device::Terminal(number)) => terminal::open_number(process, number, flags),
        Node::Device(device) => {
            let fd = device.open(open_flags(flags))?;
            Ok(OpenFile::host_file(fd, Origin::Device(device), flags))
        }
        Node::Proc(file) => open_proc(process, file, how),
        Node::Open(file) => open_again(process, &file, how),
        Node::Link(_) => Err(Errno::ELOOP),
        Node::Dir(_) | Node::Shortcut(_) => Err(Errno::EISDIR),
    }
}

fn open_dir(process: &Process, dir: Dir, how: How) -> Result<Arc<OpenFile>, Errno> {
    let flags = how.flags;
    if let (true, Dir::Host(host)) = (how.has(OpenFlags::TMPFILE), &dir) {
        if process.mounts().is_read_only(host.mount) {
            return Err(Errno::EROFS);
        }
        if let Some(guard) = process.guard() {
            guard.check(host, Rights::CHANGE_NAMES)?;
        }
        let maker = Maker::of(process, host, how.set_ids)?;
        let inode = process.mounts().take_inode(host.mount)?;
        let fd = rustix::fs::openat(host, c".", open_flags(flags), how.mode)?;
        inode.into_iter().for_each(Inode::keep);
        if let Some(maker) = maker {
            maker.made(process, &fd, b"")?;
        }
        let stat = rustix::fs::fstat(&fd)?;
        let object = Object::Host(claim(process, fd, host.mount, flags, &stat)?);
        return Ok(OpenFile::new(object, flags));
    }
    if how.has(OpenFlags::TMPFILE) {
        return Err(Errno::EOPNOTSUPP);
    }
    if is_for_writing(flags) || how.has(OpenFlags::TRUNC) {
        return Err(Errno::EISDIR);
    }
    let file = match &dir {
        Dir::Host(host) => {
            if let Some(guard) = process.guard() {
                guard.check_open(host, flags)?;
            }
            let readable = open_readable(host, open_flags(flags))?;
            DirFile::with_readable(dir, readable)
        }
        Dir::Proc(proc) => {
            proc.check_readable(process)?;
            DirFile::new(dir)
        }
        Dir::Static(_) | Dir::Terminals => DirFile::new(dir),
    };
    Ok(OpenFile::new(Object::Dir(file), flags))
}

/// The text of a file of `/proc` lies in a nameless host file: reading, seeking, mapping and polling it are those of any
/// file.
fn open_proc(process: &Process, file: ProcFile, how: How) -> Result<Arc<OpenFile>, Errno> {
    if is_for_writing(how.flags) && !file.is_writable() {
        return Err(Errno::EACCES);
    }
    let text = file.contents(process)?;
    let memory = rustix::fs::memfd_create(c"proc", MemfdFlags::CLOEXEC)?;
    write_all(&memory, &text)?;
    let fd = reopen(&memory, open_flags(how.flags) & OFlags::RWMODE)?;
    let origin = Origin::Virtual(file.stat(process), file);
    Ok(OpenFile::host_file(fd, origin, how.flags))
}

fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let count = rustix::io::write(file, bytes)?;
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// Reading starts anew: a file of `/proc` then says what is so now.
pub(crate) fn refresh(process: &Process, host: &HostFile) -> Result<(), Errno> {
    if let Origin::Virtual(_, file) = &host.origin {
        let text = file.contents(process)?;
        let memory = reopen(&host.fd, OFlags::RDWR)?;
        rustix::fs::ftruncate(&memory, 0)?;
        write_all(&memory, &text)?;
    }
    Ok(())
}

/// Opens an open file once more, through its link in `/proc/self/fd`.
fn open_again(process: &Process, file: &OpenFile, how: How) -> Result<Arc<OpenFile>, Errno> {
    let flags = how.flags;
    match file.object() {
        Object::Path(node) => open_node(process, node.clone(), how),
        Object::Own(_) => Err(Errno::ENXIO),
        Object::Dir(dir) => open_dir(process, dir.dir.clone(), how),
        Object::Host(HostFile { fd, origin, .. }) => {
            let writes = is_for_writing(flags) || how.has(OpenFlags::TRUNC);
            let reads = flags.bits() & OpenFlags::ACCMODE != OpenFlags::WRONLY.bits();
            match origin {
                Origin::Mount(mount) if writes && process.mounts().is_read_only(*mount) => {
                    return Err(Errno::EROFS);
                }
                Origin::Virtual(..) if writes => return Err(Errno::EACCES),
                Origin::Terminal(End::Master(_)) => {
                    return terminal::open_master(process, flags);
                }
                Origin::Stream | Origin::Terminal(_) => {
                    // What lind was given open for reading, say, is not given for writing.
                    let mode = rustix::fs::fcntl_getfl(fd)? & OFlags::RWMODE;
                    let can_read = mode != OFlags::WRONLY;
                    let can_write = mode != OFlags::RDONLY;
                    if (writes && !can_write) || (reads && !can_read) {
                        return Err(Errno::EACCES);
                    }
                }
                _ => {}
            }
            if let Origin::Mount(mount) = origin {
                if let Some(guard) = process.guard() {
                    guard.check_open(fd, flags)?;
                }
                let fresh = reopen(fd, without_truncation(flags))?;
                let stat = rustix::fs::fstat(&fresh)?;
                let object = Object::Host(claim(process, fresh, *mount, flags, &stat)?);
                return Ok(OpenFile::new(object, flags));
            }
            let fresh = reopen(fd, open_flags(flags))?;
            Ok(OpenFile::host_file(fresh, origin.clone(), flags))
        }
    }
}
