//! What statx(2) says of an object.

use std::os::fd::AsFd;

use rawposix_abi::Errno;
use rawposix_abi::structs::{Statx, StatxTimestamp};
use rustix::fs::{AtFlags, StatxFlags};

use super::device::Device;
use super::dir::{Dir, HostDir};
use super::mount::MountId;
use super::node::Node;
use super::walk::{Entry, Follow};
use crate::cage::Process;
use crate::fd::{HostFile, Object, OpenFile, Origin};

const S_IFMT: u16 = 0o170_000;
const S_IFLNK: u16 = 0o120_000;
const S_IFREG: u16 = 0o100_000;
const S_IFDIR: u16 = 0o040_000;
const S_IFCHR: u16 = 0o020_000;

/// The metadata of a synthetic object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VirtualStat {
    pub(crate) mode: u16,
    pub(crate) inode: u64,
    pub(crate) nlink: u32,
    pub(crate) size: u64,
    /// The device that a device's file stands for.
    pub(crate) device: (u32, u32),
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) tree: Tree,
}

/// A synthetic file system; each has a device number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// `/dev`, and directories that hold mounts.
    Static = 1,
    Proc = 2,
    /// `/dev/pts`.
    Terminals = 3,
}

impl VirtualStat {
    /// A read-only file of `/proc`.
    pub(crate) fn file(inode: u64) -> Self {
        Self {
            mode: S_IFREG | 0o444,
            inode,
            nlink: 1,
            size: 0,
            device: (0, 0),
            uid: 0,
            gid: 0,
            tree: Tree::Proc,
        }
    }

    /// What all objects of rawposix's own have in common; natively they share an inode that is of no kind.
    pub(crate) fn nameless() -> Self {
        Self {
            mode: 0o600,
            ..Self::file(13)
        }
    }

    /// A directory of `/proc`.
    pub(crate) fn proc_dir(inode: u64, mode: u16) -> Self {
        Self {
            mode: S_IFDIR | mode,
            nlink: 2,
            ..Self::file(inode)
        }
    }

    /// A file of `/proc`.
    pub(crate) fn proc_file(inode: u64, mode: u16) -> Self {
        Self {
            mode: S_IFREG | mode,
            ..Self::file(inode)
        }
    }

    /// A link of `/proc`.
    pub(crate) fn proc_link(inode: u64, mode: u16, size: u64) -> Self {
        Self {
            mode: S_IFLNK | mode,
            size,
            ..Self::file(inode)
        }
    }

    fn directory(process: &Process, dir: &Dir) -> Self {
        let tree = match dir {
            Dir::Proc(proc) => return proc.stat(process),
            Dir::Terminals => Tree::Terminals,
            Dir::Static(_) | Dir::Host(_) => Tree::Static,
        };
        Self {
            mode: S_IFDIR | 0o755,
            nlink: 2,
            tree,
            ..Self::file(inode_of(dir))
        }
    }

    fn device(process: &Process, device: Device) -> Self {
        let stat = Self {
            mode: S_IFCHR | 0o666,
            device: device.number(),
            tree: Tree::Static,
            ..Self::file(device.inode())
        };
        let Device::Terminal(number) = device else {
            return stat;
        };
        let world = process.world();
        // That of a terminal whose name is gone is nobody's any more.
        match world.terminals.attributes(world, number) {
            Ok(attributes) => Self {
                mode: S_IFCHR | attributes.mode,
                uid: attributes.uid,
                gid: attributes.gid,
                tree: Tree::Terminals,
                ..stat
            },
            Err(_) => Self {
                tree: Tree::Terminals,
                ..stat
            },
        }
    }

    fn link(length: usize) -> Self {
        Self {
            mode: S_IFLNK | 0o777,
            size: length as u64,
            tree: Tree::Static,
            ..Self::file(2)
        }
    }
}

/// The inode number that a directory shows in listings.
pub(crate) fn inode_of(dir: &Dir) -> u64 {
    match dir {
        Dir::Host(host) => host.id.inode,
        Dir::Static(tree) => 0x1000 + tree.0 as u64,
        Dir::Proc(proc) => proc.inode(),
        Dir::Terminals => 1,
    }
}

/// Metadata of an object that a path led to.
pub(crate) fn stat_node(process: &Process, node: &Node, mask: u32) -> Result<Statx, Errno> {
    match node {
        Node::Host(host) => stat_host(process, &*host.fd, host.mount, mask),
        Node::Dir(Dir::Host(dir)) => stat_host(process, dir, dir.mount, mask),
        Node::Dir(dir) | Node::Shortcut(dir) => match dir {
            Dir::Host(host) => stat_host(process, host, host.mount, mask),
            dir => Ok(stat_virtual(process, VirtualStat::directory(process, dir))),
        },
        Node::Device(device) => Ok(stat_virtual(process, VirtualStat::device(process, *device))),
        Node::Link(text) => Ok(stat_virtual(process, VirtualStat::link(text.len()))),
        Node::Proc(file) => Ok(stat_virtual(process, file.stat(process))),
        Node::Open(file) => stat_file(process, file, mask),
    }
}

/// Metadata of a name in a host directory, without a handle in between; `None` where that would not do: a link that is
/// followed, a mount point, another file system.
pub(crate) fn stat_entry(
    process: &Process,
    entry: &Entry,
    follow: Follow,
    mask: u32,
) -> Result<Option<Statx>, Errno> {
    let host = match &entry.dir {
        Dir::Host(host) => host,
        Dir::Proc(dir) if follow == Follow::No && !entry.slash => {
            let link = dir.link_stat(process, &entry.name);
            return Ok(link.map(|link| stat_virtual(process, link)));
        }
        _ => return Ok(None),
    };
    if entry.slash || process.mounts().covering(host, &entry.name).is_some() {
        return Ok(None);
    }
    stat_name(process, host, &entry.name, follow, mask)
}

/// The same for a name that nothing is mounted over.
pub(crate) fn stat_name(
    process: &Process,
    host: &HostDir,
    name: &[u8],
    follow: Follow,
    mask: u32,
) -> Result<Option<Statx>, Errno> {
    let stat = statx(process, host, name, AtFlags::SYMLINK_NOFOLLOW, mask)?;
    let device = rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor);
    let is_link = stat.stx_mode & S_IFMT == S_IFLNK;
    if device != host.id.device || (is_link && follow == Follow::Yes) {
        return Ok(None);
    }
    Ok(Some(to_guest(process, &stat, host.mount)))
}

/// The mount and the inode number of an open file, as `fdinfo` shows them.
pub(crate) fn inode_of_file(process: &Process, file: &OpenFile) -> (u64, u64) {
    stat_file(process, file, 0).map_or((0, 0), |stat| (stat.mnt_id, stat.ino))
}

/// Metadata of the symbolic link that a link of `/proc` is.
pub(crate) fn stat_magic_link(process: &Process) -> Statx {
    stat_virtual(process, VirtualStat::link(64))
}

/// Metadata of an open file.
pub(crate) fn stat_file(process: &Process, file: &OpenFile, mask: u32) -> Result<Statx, Errno> {
    match file.as_opened() {
        Object::Host(HostFile {
            origin: Origin::Virtual(stat, _),
            ..
        }) => Ok(stat_virtual(process, *stat)),
        Object::Host(HostFile {
            origin: Origin::Device(device),
            ..
        }) => Ok(stat_virtual(process, VirtualStat::device(process, *device))),
        Object::Host(HostFile {
            origin: Origin::Terminal(end),
            ..
        }) => Ok(stat_virtual(
            process,
            VirtualStat::device(process, Device::of_end(end)),
        )),
        Object::Host(HostFile { fd, origin, .. }) => {
            let mount = if let Origin::Mount(mount) = origin {
                *mount
            } else {
                MountId::ROOT
            };
            stat_host(process, fd, mount, mask)
        }
        Object::Dir(dir) => stat_node(process, &Node::Dir(dir.dir.clone()), mask),
        Object::Path(node) => stat_node(process, node, mask),
        Object::Own(own) => Ok(stat_virtual(process, own.file().stat())),
    }
}

fn stat_host(process: &Process, fd: impl AsFd, mount: MountId, mask: u32) -> Result<Statx, Errno> {
    let stat = statx(process, fd, b"", AtFlags::EMPTY_PATH, mask)?;
    Ok(to_guest(process, &stat, mount))
}

fn statx(
    process: &Process,
    fd: impl AsFd,
    name: &[u8],
    flags: AtFlags,
    mask: u32,
) -> Result<rustix::fs::Statx, Errno> {
    // The mount is lind's to say; the basic fields come whether asked for or not.
    let mut asked = StatxFlags::from_bits_retain(mask & 0x0fff) | StatxFlags::BASIC_STATS;
    if !process.world().owners.is_empty() {
        asked |= StatxFlags::BTIME;
    }
    Ok(rustix::fs::statx(fd, name, flags, asked)?)
}

/// The host's answer in the guest's layout, with the sandbox's owners.
fn to_guest(process: &Process, stat: &rustix::fs::Statx, mount: MountId) -> Statx {
    let seen = process.world().owners.see(stat, process.ids());
    let (dev_major, dev_minor) = match process.mounts().private_device(mount) {
        Some(minor) => (0, minor),
        None => (stat.stx_dev_major, stat.stx_dev_minor),
    };
    let time = |t: rustix::fs::StatxTimestamp| StatxTimestamp {
        sec: t.tv_sec,
        nsec: t.tv_nsec,
        pad: 0,
    };
    Statx {
        mask: (stat.stx_mask & 0x0fff) | 0x1000,
        blksize: stat.stx_blksize,
        nlink: stat.stx_nlink,
        uid: seen.uid,
        gid: seen.gid,
        mode: seen.mode,
        ino: stat.stx_ino,
        size: stat.stx_size,
        blocks: stat.stx_blocks,
        atime: time(stat.stx_atime),
        btime: time(stat.stx_btime),
        ctime: time(stat.stx_ctime),
        mtime: time(stat.stx_mtime),
        rdev_major: stat.stx_rdev_major,
        rdev_minor: stat.stx_rdev_minor,
        dev_major,
        dev_minor,
        mnt_id: mount.0 as u64 + 1,
        ..Statx::default()
    }
}

fn stat_virtual(process: &Process, stat: VirtualStat) -> Statx {
    let started = process.sandbox_start();
    let time = StatxTimestamp {
        sec: started.tv_sec,
        nsec: u32::try_from(started.tv_nsec).unwrap_or(0),
        pad: 0,
    };
    Statx {
        mask: 0x17ff,
        blksize: 4096,
        nlink: stat.nlink,
        mode: stat.mode,
        ino: stat.inode,
        size: stat.size,
        atime: time,
        ctime: time,
        mtime: time,
        rdev_major: stat.device.0,
        rdev_minor: stat.device.1,
        dev_minor: stat.tree as u32,
        uid: stat.uid,
        gid: stat.gid,
        mnt_id: 1,
        ..Statx::default()
    }
}
