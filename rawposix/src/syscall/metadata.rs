//! What is known of a file: statx(2), statfs(2), xattr(7).

use std::os::fd::{AsFd, BorrowedFd};

use rawposix_abi::Errno;
use rawposix_abi::flags::{AT_FDCWD, AtFlags, StatxMask, XattrFlags};
use rawposix_abi::structs::{Statfs64, Statx};
use rawposix_memory::{AddressSpace, GuestCStr, GuestPtr};

use super::args::{DirFd, Fd, InBuf, Len, Out, OutBuf, Path, Str};
use crate::fd::{Object, Origin};
use crate::fs::device::Device;
use crate::fs::dir::Dir;
use crate::fs::mount::{MountId, MountRoot};
use crate::fs::node::{Node, proc_path};
use crate::fs::permission::Rights;
use crate::fs::quota::Quota;
use crate::fs::stat::{stat_entry, stat_magic_link, stat_name, stat_node};
use crate::fs::straight::Straight;
use crate::fs::walk::{Follow, Parent};
use crate::terminal::End;
use crate::thread::Thread;

/// `TMPFS_MAGIC`, `PROC_SUPER_MAGIC` and `ANON_INODE_FS_MAGIC` of statfs(2).
const ANON_INODE_MAGIC: u32 = 0x0904_1934;
const TMPFS_MAGIC: u32 = 0x0102_1994;
const PROC_MAGIC: u32 = 0x9fa0;
/// `DEVPTS_SUPER_MAGIC`.
const DEVPTS_MAGIC: u32 = 0x1cd1;

pub(super) fn statx(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    flags: AtFlags,
    mask: StatxMask,
    buf: Out<Statx>,
) -> Result<(), Errno> {
    let sync = AtFlags::STATX_FORCE_SYNC | AtFlags::STATX_DONT_SYNC;
    let allowed = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH | AtFlags::NO_AUTOMOUNT | sync;
    if !allowed.contains(flags) || flags.contains(sync) || mask.contains(StatxMask::RESERVED) {
        return Err(Errno::EINVAL);
    }
    let follow = if flags.contains(AtFlags::SYMLINK_NOFOLLOW) {
        Follow::No
    } else {
        Follow::Yes
    };
    let path = thread.read_path(path.0)?;
    if !path.is_empty()
        && let Some(stat) = stat_by_name(thread, dirfd.0, &path, follow, mask.bits())?
    {
        return thread.memory().write(buf.0, &stat);
    }
    let node = thread.node_or_file(dirfd.0, &path, flags, follow)?;
    let is_magic = matches!(node, Node::Open(_) | Node::Shortcut(_));
    let stat = if is_magic && follow == Follow::No && !path.is_empty() {
        stat_magic_link(&thread.process)
    } else {
        stat_node(&thread.process, &node, mask.bits())?
    };
    thread.memory().write(buf.0, &stat)
}

/// Asks the host by name, in one call, where the last name of a path is a plain one in a host directory.
fn stat_by_name(
    thread: &Thread,
    dirfd: i32,
    path: &[u8],
    follow: Follow,
    mask: u32,
) -> Result<Option<Statx>, Errno> {
    let start = thread.start(dirfd, path)?;
    match Straight::new(thread.process.mounts(), &start, path) {
        Some(place) if place.is_single && thread.process.guard().is_none() => {
            return stat_name(&thread.process, place.dir, place.names, follow, mask);
        }
        _ => {}
    }
    let Parent::Entry(entry) = thread.walk().parent(start, path)? else {
        return Ok(None);
    };
    stat_entry(&thread.process, &entry, follow, mask)
}

pub(super) fn statfs64(
    thread: &mut Thread,
    path: Path,
    size: Len,
    buf: Out<Statfs64>,
) -> Result<(), Errno> {
    check_size(size)?;
    let path = thread.read_path(path.0)?;
    let node = thread.node(AT_FDCWD, &path, Follow::Yes)?;
    let stat = statfs(thread, &node)?;
    thread.memory().write(buf.0, &stat)
}

pub(super) fn fstatfs64(
    thread: &mut Thread,
    fd: Fd,
    size: Len,
    buf: Out<Statfs64>,
) -> Result<(), Errno> {
    check_size(size)?;
    let file = thread.file(fd.0)?;
    let stat = statfs(thread, &Node::Open(file))?;
    thread.memory().write(buf.0, &stat)
}

fn check_size(size: Len) -> Result<(), Errno> {
    if usize::try_from(size.0) == Ok(size_of::<Statfs64>()) {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

fn statfs(thread: &Thread, node: &Node) -> Result<Statfs64, Errno> {
    match node {
        Node::Host(host) => statfs_mounted(thread, &*host.fd, host.mount),
        Node::Dir(Dir::Host(dir)) | Node::Shortcut(Dir::Host(dir)) => {
            statfs_mounted(thread, dir, dir.mount)
        }
        Node::Device(Device::Terminal(_)) => Ok(statfs_synthetic(DEVPTS_MAGIC)),
        Node::Device(_) => Ok(statfs_synthetic(TMPFS_MAGIC)),
        Node::Dir(Dir::Static(_)) | Node::Shortcut(Dir::Static(_)) | Node::Link(_) => {
            Ok(statfs_synthetic(TMPFS_MAGIC))
        }
        Node::Dir(Dir::Terminals) | Node::Shortcut(Dir::Terminals) => {
            Ok(statfs_synthetic(DEVPTS_MAGIC))
        }
        Node::Dir(Dir::Proc(_)) | Node::Shortcut(Dir::Proc(_)) | Node::Proc(_) => {
            Ok(statfs_synthetic(PROC_MAGIC))
        }
        Node::Open(file) => match file.object() {
            Object::Host(host) => match &host.origin {
                Origin::Mount(mount) => statfs_mounted(thread, &host.fd, *mount),
                Origin::Virtual(..) => Ok(statfs_synthetic(PROC_MAGIC)),
                Origin::Terminal(End::Line(_)) => Ok(statfs_synthetic(DEVPTS_MAGIC)),
                Origin::Device(_) | Origin::Terminal(_) => Ok(statfs_synthetic(TMPFS_MAGIC)),
                Origin::Stream | Origin::Nameless(_) | Origin::Socket(_) => {
                    statfs_host(&host.fd, ST_VALID)
                }
            },
            Object::Dir(dir) => statfs(thread, &Node::Dir(dir.dir.clone())),
            Object::Path(node) => statfs(thread, node),
            Object::Own(_) => Ok(statfs_synthetic(ANON_INODE_MAGIC)),
        },
    }
}

/// What the host says of a file of a mount; the private directories are what `/proc/mounts` calls them.
fn statfs_mounted(thread: &Thread, fd: impl AsFd, mount: MountId) -> Result<Statfs64, Errno> {
    let stat = statfs_host(fd, mount_flags(thread, mount))?;
    Ok(match &thread.process.mounts().point(mount)?.root {
        MountRoot::Private(dir) => {
            let stat = Statfs64 {
                kind: TMPFS_MAGIC,
                ..stat
            };
            dir.quota().map_or(stat, |quota| with_room(stat, quota))
        }
        _ => stat,
    })
}

/// The same with a limit's numbers.
fn with_room(stat: Statfs64, quota: &Quota) -> Statfs64 {
    let block = AddressSpace::PAGE_SIZE;
    let blocks = |bytes: u64| bytes / u64::from(block);
    let (files, ffree) = quota.inodes().unwrap_or((stat.files, stat.ffree));
    let stat = Statfs64 {
        files,
        ffree,
        ..stat
    };
    match quota.room() {
        None => stat,
        Some((limit, free)) => Statfs64 {
            bsize: block,
            frsize: block,
            blocks: blocks(limit),
            bfree: blocks(free),
            bavail: blocks(free),
            ..stat
        },
    }
}

fn statfs_synthetic(kind: u32) -> Statfs64 {
    Statfs64 {
        kind,
        bsize: 4096,
        frsize: 4096,
        namelen: 255,
        flags: 0x21,
        ..Statfs64::default()
    }
}

/// `f_flags` of statfs(2): the flags are there.
const ST_VALID: u32 = 0x20;

/// `f_flags` of a mount: `ST_VALID`, and `ST_RDONLY` where nothing may be changed.
fn mount_flags(thread: &Thread, mount: MountId) -> u32 {
    const ST_RDONLY: u32 = 1;
    let read_only = thread.process.mounts().is_read_only(mount);
    ST_VALID | if read_only { ST_RDONLY } else { 0 }
}

fn statfs_host(fd: impl AsFd, flags: u32) -> Result<Statfs64, Errno> {
    let host = rustix::fs::fstatfs(fd)?;
    let word = |value: i64| u32::try_from(value).unwrap_or(0);
    Ok(Statfs64 {
        kind: word(host.f_type),
        bsize: word(host.f_bsize),
        blocks: host.f_blocks,
        bfree: host.f_bfree,
        bavail: host.f_bavail,
        files: host.f_files,
        ffree: host.f_ffree,
        namelen: word(host.f_namelen),
        frsize: word(host.f_frsize),
        flags,
        ..Statfs64::default()
    })
}

/// Names of extended attributes are at most this long, with the NUL.
const NAME_SIZE: usize = 256;
/// Values of extended attributes are at most this long.
const VALUE_MAX: u32 = 65536;

/// Reads an attribute's name: only those of the user namespace are the guest's.
fn read_name(thread: &Thread, name: Str) -> Result<Vec<u8>, Errno> {
    let name = thread
        .memory()
        .read_cstr(name.0, NAME_SIZE)
        .map_err(|errno| match errno {
            Errno::ENAMETOOLONG => Errno::ERANGE,
            errno => errno,
        })?;
    let name = name.into_bytes();
    if name.is_empty() {
        return Err(Errno::ERANGE);
    }
    Ok(name)
}

fn is_user(name: &[u8]) -> bool {
    name.starts_with(b"user.")
}

/// Whether attributes are read or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Read,
    Change,
}

/// Runs `f` on a handle of the object; `EOPNOTSUPP` for what has no attributes.
fn on_handle<R>(
    thread: &Thread,
    node: &Node,
    purpose: Purpose,
    f: impl Fn(BorrowedFd<'_>) -> Result<R, Errno>,
) -> Result<R, Errno> {
    let on = |mount: MountId, fd: BorrowedFd<'_>| {
        if purpose == Purpose::Change && thread.process.mounts().is_read_only(mount) {
            return Err(Errno::EROFS);
        }
        match (thread.process.guard(), purpose) {
            (Some(guard), Purpose::Read) => guard.check(fd, Rights::READ)?,
            (Some(guard), Purpose::Change) => guard.check(fd, Rights::WRITE)?,
            (None, _) => {}
        }
        f(fd)
    };
    match node {
        Node::Host(host) if host.kind == rustix::fs::FileType::Symlink => Err(match purpose {
            Purpose::Read => Errno::ENODATA,
            Purpose::Change => Errno::EPERM,
        }),
        Node::Host(host) => on(host.mount, host.fd.as_fd()),
        Node::Dir(Dir::Host(dir)) | Node::Shortcut(Dir::Host(dir)) => on(dir.mount, dir.as_fd()),
        Node::Open(file) => match file.object() {
            Object::Host(host) => match &host.origin {
                Origin::Mount(mount) => on(*mount, host.fd.as_fd()),
                _ => Err(Errno::EOPNOTSUPP),
            },
            Object::Dir(dir) => on_handle(thread, &Node::Dir(dir.dir.clone()), purpose, f),
            Object::Path(_) => Err(Errno::EBADF),
            Object::Own(_) => Err(Errno::EOPNOTSUPP),
        },
        _ => Err(Errno::EOPNOTSUPP),
    }
}

fn by_path(thread: &Thread, path: GuestCStr, follow: Follow) -> Result<Node, Errno> {
    let path = thread.read_path(path)?;
    thread.node(AT_FDCWD, &path, follow)
}

fn by_fd(thread: &Thread, fd: Fd) -> Result<Node, Errno> {
    thread.file(fd.0).map(Node::Open)
}

fn set(
    thread: &Thread,
    node: &Node,
    name: Str,
    value: (GuestPtr<u8>, u32),
    flags: XattrFlags,
) -> Result<(), Errno> {
    let name = read_name(thread, name)?;
    if value.1 > VALUE_MAX {
        return Err(Errno::E2BIG);
    }
    let mut bytes = vec![0; usize::try_from(value.1).unwrap_or(0)];
    thread.memory().read_bytes(value.0, &mut bytes)?;
    if !is_user(&name) {
        return Err(Errno::EOPNOTSUPP);
    }
    let flags = rustix::fs::XattrFlags::from_bits_retain(flags.bits());
    on_handle(thread, node, Purpose::Change, |fd| {
        Ok(rustix::fs::setxattr(proc_path(fd), &*name, &bytes, flags)?)
    })
}

fn get(thread: &Thread, node: &Node, name: Str, value: OutBuf, size: Len) -> Result<usize, Errno> {
    let name = read_name(thread, name)?;
    if !is_user(&name) {
        return Err(Errno::EOPNOTSUPP);
    }
    let bytes = on_handle(thread, node, Purpose::Read, |fd| {
        let mut bytes = vec![0; VALUE_MAX as usize];
        let length = rustix::fs::getxattr(proc_path(fd), &*name, &mut *bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    })?;
    give(thread, &bytes, value, size)
}

/// Stores an answer, or only its size when the guest asks for that.
fn give(thread: &Thread, bytes: &[u8], buffer: OutBuf, size: Len) -> Result<usize, Errno> {
    if size.0 != 0 {
        if bytes.len() > usize::try_from(size.0).unwrap_or(usize::MAX) {
            return Err(Errno::ERANGE);
        }
        thread.memory().write_bytes(buffer.0, bytes)?;
    }
    Ok(bytes.len())
}

fn list(thread: &Thread, node: &Node, buffer: OutBuf, size: Len) -> Result<usize, Errno> {
    let all = on_handle(thread, node, Purpose::Read, |fd| {
        let mut bytes = vec![0; VALUE_MAX as usize];
        let length = rustix::fs::listxattr(proc_path(fd), &mut *bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    });
    let all = match all {
        Err(Errno::EOPNOTSUPP | Errno::ENODATA) => Vec::new(),
        all => all?,
    };
    let names = all
        .split_inclusive(|byte| *byte == 0)
        .filter(|name| is_user(name));
    give(
        thread,
        &names.flatten().copied().collect::<Vec<_>>(),
        buffer,
        size,
    )
}

fn remove(thread: &Thread, node: &Node, name: Str) -> Result<(), Errno> {
    let name = read_name(thread, name)?;
    if !is_user(&name) {
        return Err(Errno::EOPNOTSUPP);
    }
    on_handle(thread, node, Purpose::Change, |fd| {
        Ok(rustix::fs::removexattr(proc_path(fd), &*name)?)
    })
}

/// The three forms of each call: by path, by path without following, by descriptor.
macro_rules! forms {
    ($($path:ident $link:ident $fd:ident ($($parameter:ident: $kind:ty),*) -> $result:ty = $action:expr;)*) => {$(
        pub(super) fn $path(thread: &mut Thread, path: Path, $($parameter: $kind),*) -> Result<$result, Errno> {
            let node = by_path(thread, path.0, Follow::Yes)?;
            $action(thread, &node, $($parameter),*)
        }
        pub(super) fn $link(thread: &mut Thread, path: Path, $($parameter: $kind),*) -> Result<$result, Errno> {
            let node = by_path(thread, path.0, Follow::No)?;
            $action(thread, &node, $($parameter),*)
        }
        pub(super) fn $fd(thread: &mut Thread, fd: Fd, $($parameter: $kind),*) -> Result<$result, Errno> {
            let node = by_fd(thread, fd)?;
            $action(thread, &node, $($parameter),*)
        }
    )*};
}

fn set_from(
    thread: &Thread,
    node: &Node,
    name: Str,
    value: InBuf,
    size: Len,
    flags: XattrFlags,
) -> Result<(), Errno> {
    set(thread, node, name, (value.0, size.0), flags)
}

forms! {
    setxattr lsetxattr fsetxattr (name: Str, value: InBuf, size: Len, flags: XattrFlags) -> () = set_from;
    getxattr lgetxattr fgetxattr (name: Str, value: OutBuf, size: Len) -> usize = get;
    listxattr llistxattr flistxattr (buffer: OutBuf, size: Len) -> usize = list;
    removexattr lremovexattr fremovexattr (name: Str) -> () = remove;
}
