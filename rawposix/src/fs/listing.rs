//! The names in a directory.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rawposix_abi::Errno;
use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom};

use super::device::Device;
use super::dir::{Dir, FileId};
use super::mount::{MountRoot, Mounts, StaticEntry};
use crate::cage::Process;
use crate::fs::stat::inode_of;

/// One name, with what getdents64(2) says of it.
#[derive(Clone, Debug)]
pub(crate) struct ListedName {
    pub(crate) name: Vec<u8>,
    pub(crate) inode: u64,
    /// The `DT_*` number.
    pub(crate) kind: u8,
}

/// The position of an open directory.
///
/// Names are read all at once, at the first getdents64 after opening and rewinding: a position is then a small index,
/// which the 32-bit telldir(3) can give back, and mounts are merged in one place.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) names: Option<Vec<ListedName>>,
    pub(crate) position: u64,
}

/// `DT_*` of readdir(3).
pub(crate) const DT_DIR: u8 = 4;
pub(crate) const DT_LNK: u8 = 10;
pub(crate) const DT_REG: u8 = 8;
pub(crate) const DT_CHR: u8 = 2;

/// Reads all names of a directory, `.` and `..` first. `fd` is a readable descriptor of a host directory.
pub(crate) fn read_names(
    mounts: &Mounts,
    process: &Process,
    dir: &Dir,
    fd: Option<impl AsFd>,
) -> Result<Vec<ListedName>, Errno> {
    let mut names = vec![
        listed(b".", inode_of(dir), DT_DIR),
        listed(
            b"..",
            inode_of(
                &process
                    .walk(mounts)?
                    .above(dir)
                    .unwrap_or_else(|_| dir.clone()),
            ),
            DT_DIR,
        ),
    ];
    match dir {
        Dir::Host(host) => {
            let covered = mounts.covered(host);
            let fd = fd.ok_or(Errno::EBADF)?;
            rustix::fs::seek(&fd, SeekFrom::Start(0))?;
            read_host(fd, |name, inode, kind| {
                let hidden = covered.is_some_and(|covered| covered.contains_key(name));
                if !hidden && name != b"." && name != b".." {
                    names.push(listed(name, inode, kind));
                }
            })?;
            for (name, mount) in covered.into_iter().flatten() {
                names.push(listed_mount(mounts, name, *mount)?);
            }
        }
        Dir::Static(tree) => {
            for (name, entry) in &mounts.tree(*tree)?.entries {
                names.push(match entry {
                    StaticEntry::Mount(mount) => listed_mount(mounts, name, *mount)?,
                    StaticEntry::Dir(tree) => listed(name, inode_of(&Dir::Static(*tree)), DT_DIR),
                    StaticEntry::Link(_) => listed(name, 2, DT_LNK),
                    StaticEntry::Device(device) => listed(name, device.inode(), DT_CHR),
                });
            }
        }
        Dir::Proc(proc) => names.extend(proc.names(process)),
        Dir::Terminals => {
            names.push(listed(b"ptmx", Device::Ptmx.inode(), DT_CHR));
            for number in process.world().terminals.numbers() {
                let inode = Device::Terminal(number).inode();
                names.push(listed(number.to_string().as_bytes(), inode, DT_CHR));
            }
        }
    }
    Ok(names)
}

/// A name with its inode and kind.
pub(crate) fn listed(name: &[u8], inode: u64, kind: u8) -> ListedName {
    ListedName {
        name: name.to_vec(),
        inode,
        kind,
    }
}

fn listed_mount(
    mounts: &Mounts,
    name: &[u8],
    mount: super::mount::MountId,
) -> Result<ListedName, Errno> {
    Ok(match &mounts.point(mount)?.root {
        MountRoot::File(fd) => listed(name, FileId::of(fd)?.inode, DT_REG),
        _ => {
            let root = mounts.root_of(mount)?;
            listed(name, root.as_ref().map_or(1, inode_of), DT_DIR)
        }
    })
}

/// Reads the names of a host directory.
pub(crate) fn read_host(fd: impl AsFd, mut each: impl FnMut(&[u8], u64, u8)) -> Result<(), Errno> {
    let mut buffer = Vec::new();
    buffer.resize(32 << 10, MaybeUninit::uninit());
    let mut entries = RawDir::new(fd, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        each(
            entry.file_name().to_bytes(),
            entry.ino(),
            kind_number(entry.file_type()),
        );
    }
    Ok(())
}

fn kind_number(kind: FileType) -> u8 {
    match kind {
        FileType::Fifo => 1,
        FileType::CharacterDevice => DT_CHR,
        FileType::Directory => DT_DIR,
        FileType::BlockDevice => 6,
        FileType::RegularFile => DT_REG,
        FileType::Symlink => DT_LNK,
        FileType::Socket => 12,
        FileType::Unknown => 0,
    }
}

/// Opens a host directory for reading its names.
pub(crate) fn open_readable(dir: impl AsFd, more: OFlags) -> Result<std::os::fd::OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | (more & OFlags::NOATIME);
    Ok(rustix::fs::openat(dir, c".", flags, Mode::empty())?)
}
