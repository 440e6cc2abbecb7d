//! What may be done with a file: permissions, owners, times. See access(2), chmod(2), chown(2), utimensat(2).

use std::os::fd::{AsFd, BorrowedFd};

use rawposix_abi::Errno;
use rawposix_abi::flags::{AccessMode, AtFlags};
use rawposix_abi::structs::TimespecPair;
use rustix::fs::{Access, FileType};

use super::args::{DirFd, Fd, Gid, In, Mode, Path, Uid};
use crate::cage::KEEP;
use crate::fd::{DirFile, Object, OpenFile, Origin};
use crate::fs::device::Device;
use crate::fs::dir::Dir;
use crate::fs::mount::MountId;
use crate::fs::node::{Node, proc_path};
use crate::fs::owners::on_host;
use crate::fs::permission::Rights;
use crate::fs::walk::Follow;
use crate::terminal::{Attributes, End};
use crate::thread::Thread;

pub(super) fn faccessat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    mode: AccessMode,
) -> Result<(), Errno> {
    faccessat2(thread, dirfd, path, mode, AtFlags::empty())
}

/// `AT_EACCESS`, which shares its number with `AT_REMOVEDIR`.
const EACCESS: AtFlags = AtFlags::REMOVEDIR;

pub(super) fn faccessat2(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    mode: AccessMode,
    flags: AtFlags,
) -> Result<(), Errno> {
    if !(EACCESS | AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let follow = if flags.contains(AtFlags::SYMLINK_NOFOLLOW) {
        Follow::No
    } else {
        Follow::Yes
    };
    let path = thread.read_path(path.0)?;
    let node = thread.node_or_file(dirfd.0, &path, flags, follow)?;
    let writes = mode.contains(AccessMode::W_OK);
    let access = Access::from_bits_retain(mode.bits());
    let guard = if flags.contains(EACCESS) {
        thread.process.guard()
    } else {
        thread.process.real_guard()
    };
    let check = |handle: BorrowedFd<'_>, mount: Option<MountId>| {
        if let (Some(guard), Some(_)) = (&guard, mount) {
            guard.check(handle, Rights::from_bits(mode.bits()))?;
        }
        rustix::fs::access(proc_path(handle), access)?;
        match mount {
            Some(mount) if writes && thread.process.mounts().is_read_only(mount) => {
                Err(Errno::EROFS)
            }
            _ => Ok(()),
        }
    };
    match &node {
        Node::Host(host) if host.kind == FileType::Symlink => Ok(()),
        Node::Host(host) => check(host.fd.as_fd(), Some(host.mount)),
        Node::Dir(Dir::Host(dir)) | Node::Shortcut(Dir::Host(dir)) => {
            check(dir.as_fd(), Some(dir.mount))
        }
        Node::Dir(_) | Node::Shortcut(_) if writes => Err(Errno::EROFS),
        Node::Proc(_) if mode.intersects(AccessMode::W_OK | AccessMode::X_OK) => Err(Errno::EACCES),
        Node::Device(_) if mode.contains(AccessMode::X_OK) => Err(Errno::EACCES),
        Node::Open(file) => match file.any_fd() {
            Some(fd) => check(fd, mount_of(file)),
            None => Ok(()),
        },
        Node::Dir(_) | Node::Shortcut(_) | Node::Proc(_) | Node::Device(_) | Node::Link(_) => {
            Ok(())
        }
    }
}

/// The mount that an open file came through.
fn mount_of(file: &OpenFile) -> Option<MountId> {
    match file.as_opened() {
        Object::Host(host) => match host.origin {
            Origin::Mount(mount) => Some(mount),
            _ => None,
        },
        Object::Dir(DirFile {
            dir: Dir::Host(dir),
            ..
        })
        | Object::Path(Node::Dir(Dir::Host(dir))) => Some(dir.mount),
        Object::Path(Node::Host(host)) => Some(host.mount),
        Object::Dir(_) | Object::Path(_) | Object::Own(_) => None,
    }
}

/// Handle of an object whose attributes are to be changed, if its place may change at all.
fn with_changeable<R>(
    thread: &Thread,
    node: &Node,
    f: impl Fn(BorrowedFd<'_>) -> Result<R, Errno>,
) -> Result<R, Errno> {
    let mounts = thread.process.mounts();
    let writable = |mount: MountId| {
        if mounts.is_read_only(mount) {
            Err(Errno::EROFS)
        } else {
            Ok(())
        }
    };
    match node {
        Node::Host(host) => writable(host.mount).and_then(|()| f(host.fd.as_fd())),
        Node::Dir(Dir::Host(dir)) | Node::Shortcut(Dir::Host(dir)) => {
            writable(dir.mount).and_then(|()| f(dir.as_fd()))
        }
        Node::Open(file) => match file.object() {
            Object::Host(host) => {
                match host.origin {
                    Origin::Mount(mount) => writable(mount)?,
                    // Not lind's to change: it belongs to whoever started lind.
                    Origin::Stream
                    | Origin::Device(_)
                    | Origin::Terminal(_)
                    | Origin::Virtual(..) => {
                        return Err(Errno::EPERM);
                    }
                    Origin::Nameless(_) | Origin::Socket(_) => {}
                }
                f(host.fd.as_fd())
            }
            Object::Dir(dir) => with_changeable(thread, &Node::Dir(dir.dir.clone()), f),
            Object::Path(node) => with_changeable(thread, node, f),
            Object::Own(_) => Err(Errno::EPERM),
        },
        Node::Proc(_) => Err(Errno::EPERM),
        _ => Err(Errno::EROFS),
    }
}

fn open_node_of(thread: &Thread, fd: Fd) -> Result<Node, Errno> {
    let file = thread.file(fd.0)?;
    if file.is_path() {
        Err(Errno::EBADF)
    } else {
        Ok(Node::Open(file))
    }
}

/// Whether it is a pipe, a socket or the like, whose owner nothing shows but itself.
fn is_nameless(node: &Node) -> bool {
    match node {
        Node::Open(file) => match file.object() {
            Object::Host(host) => matches!(host.origin, Origin::Nameless(_) | Origin::Socket(_)),
            Object::Path(node) => is_nameless(node),
            Object::Dir(_) | Object::Own(_) => false,
        },
        _ => false,
    }
}

fn is_directory(node: &Node) -> bool {
    matches!(node, Node::Open(file) if file.directory().is_some())
}

/// The number of a terminal, whose owner and permissions the sandbox keeps.
fn terminal_of(node: &Node) -> Option<u32> {
    match node {
        Node::Device(Device::Terminal(number)) => Some(*number),
        Node::Open(file) => match file.object() {
            Object::Host(host) => match &host.origin {
                Origin::Terminal(End::Line(line)) => Some(line.number),
                _ => None,
            },
            Object::Path(node) => terminal_of(node),
            Object::Dir(_) | Object::Own(_) => None,
        },
        _ => None,
    }
}

/// Changes the attributes of a terminal, for its owner and for root.
fn change_terminal(
    thread: &Thread,
    number: u32,
    change: impl FnOnce(&mut Attributes),
) -> Result<(), Errno> {
    let world = &thread.world;
    let caller = thread.process.credentials().user.effective;
    if caller != 0 && caller != world.terminals.attributes(world, number)?.uid {
        return Err(Errno::EPERM);
    }
    world.terminals.change_attributes(number, change)
}

/// Gives a terminal to another owner or group: others than root give only to themselves, and to groups of theirs.
fn own_terminal(thread: &Thread, number: u32, owner: Uid, group: Gid) -> Result<(), Errno> {
    let caller = thread.process.credentials();
    let user = caller.user.effective;
    let is_own_group = group.0 == caller.group.effective || caller.groups.contains(&group.0);
    if user != 0 && ((owner.0 != KEEP && owner.0 != user) || (group.0 != KEEP && !is_own_group)) {
        return Err(Errno::EPERM);
    }
    change_terminal(thread, number, |attributes| {
        if owner.0 != KEEP {
            attributes.uid = owner.0;
        }
        if group.0 != KEEP {
            attributes.gid = group.0;
        }
    })
}

fn change_mode(thread: &Thread, node: &Node, mode: Mode) -> Result<(), Errno> {
    if matches!(node, Node::Host(host) if host.kind == FileType::Symlink) {
        return Err(Errno::EOPNOTSUPP);
    }
    let wanted = u16::try_from(mode.0 & 0o7777).unwrap_or(0);
    if let Some(number) = terminal_of(node) {
        return change_terminal(thread, number, |attributes| attributes.mode = wanted);
    }
    let (world, caller) = (&thread.world, thread.process.credentials());
    // A file that runs with the rights of lind's user would give them to whoever runs it outside.
    let kept = if matches!(node, Node::Dir(_)) || is_directory(node) {
        0o7777
    } else {
        0o1777
    };
    with_changeable(thread, node, |fd| {
        if is_nameless(node) {
            let mode = rustix::fs::Mode::from_bits_truncate(mode.0 & kept);
            return Ok(rustix::fs::chmod(proc_path(fd), mode)?);
        }
        let stat = on_host(fd, b"")?;
        let seen = world.owners.see(&stat, world.ids);
        let wanted = seen.with_mode(&caller, wanted)?;
        let mode = rustix::fs::Mode::from_bits_truncate(u32::from(wanted.mode) & kept);
        rustix::fs::chmod(proc_path(fd), mode)?;
        world.owners.set(&stat, world.ids, wanted)
    })
}

pub(super) fn fchmod(thread: &mut Thread, fd: Fd, mode: Mode) -> Result<(), Errno> {
    let node = open_node_of(thread, fd)?;
    change_mode(thread, &node, mode)
}

pub(super) fn fchmodat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    mode: Mode,
) -> Result<(), Errno> {
    let path = thread.read_path(path.0)?;
    let node = thread.node(dirfd.0, &path, Follow::Yes)?;
    change_mode(thread, &node, mode)
}

fn change_owner(thread: &Thread, node: &Node, owner: Uid, group: Gid) -> Result<(), Errno> {
    if let Some(number) = terminal_of(node) {
        return own_terminal(thread, number, owner, group);
    }
    let (world, caller) = (&thread.world, thread.process.credentials());
    let change = |fd: BorrowedFd<'_>, owner, group| {
        let empty = rustix::fs::AtFlags::EMPTY_PATH;
        rustix::fs::chownat(fd, c"", owner, group, empty).map_err(Errno::from)
    };
    with_changeable(thread, node, |fd| {
        if is_nameless(node) {
            let owner = world.ids.host_uid(owner.0)?;
            let group = world.ids.host_gid(group.0)?;
            return change(
                fd,
                owner.map(rustix::fs::Uid::from_raw),
                group.map(rustix::fs::Gid::from_raw),
            );
        }
        let stat = on_host(fd, b"")?;
        let seen = world.owners.see(&stat, world.ids);
        let wanted = seen.with_owner(&caller, owner.0, group.0)?;
        // The host notes the time of the change.
        change(fd, None, None)?;
        world.owners.set(&stat, world.ids, wanted)
    })
}

pub(super) fn fchown(thread: &mut Thread, fd: Fd, owner: Uid, group: Gid) -> Result<(), Errno> {
    let node = open_node_of(thread, fd)?;
    change_owner(thread, &node, owner, group)
}

pub(super) fn fchownat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    owner: Uid,
    group: Gid,
    flags: AtFlags,
) -> Result<(), Errno> {
    if !(AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let follow = if flags.contains(AtFlags::SYMLINK_NOFOLLOW) {
        Follow::No
    } else {
        Follow::Yes
    };
    let path = thread.read_path(path.0)?;
    let node = thread.node_or_file(dirfd.0, &path, flags, follow)?;
    change_owner(thread, &node, owner, group)
}

pub(super) fn utimensat_time64(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    times: In<TimespecPair>,
    flags: AtFlags,
) -> Result<(), Errno> {
    if !(AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let times = super::time::file_times(thread, times)?;
    let node = if path.0.is_null() {
        // futimens(3)
        if !flags.is_empty() {
            return Err(Errno::EINVAL);
        }
        open_node_of(thread, Fd(dirfd.0))?
    } else {
        let follow = if flags.contains(AtFlags::SYMLINK_NOFOLLOW) {
            Follow::No
        } else {
            Follow::Yes
        };
        let path = thread.read_path(path.0)?;
        thread.node_or_file(dirfd.0, &path, flags, follow)?
    };
    let (world, caller) = (&thread.world, thread.process.credentials());
    let guard = thread.process.guard();
    with_changeable(thread, &node, |fd| {
        if super::time::are_chosen(&times) && !is_nameless(&node) {
            let seen = world.owners.see(&on_host(fd, b"")?, world.ids);
            if !seen.is_owned_by(&caller) {
                return Err(Errno::EPERM);
            }
        } else if let (Some(guard), false) = (&guard, is_nameless(&node)) {
            let seen = world.owners.see(&on_host(fd, b"")?, world.ids);
            if !seen.is_owned_by(&caller) {
                guard.check(fd, Rights::WRITE)?;
            }
        }
        Ok(rustix::fs::utimensat(
            fd,
            c"",
            &times,
            rustix::fs::AtFlags::EMPTY_PATH,
        )?)
    })
}
