//! Handles of directories.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rawposix_abi::Errno;
use rustix::fs::{Mode, OFlags};

use super::mount::{MountId, StaticId};
use super::procfs::ProcDir;

/// A file of the host's, whatever its name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl FileId {
    /// The identity of an open file.
    pub(crate) fn of(fd: impl AsFd) -> Result<Self, Errno> {
        let stat = rustix::fs::fstat(fd)?;
        Ok(Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        })
    }
}

/// A directory of the sandbox. It stays the same directory whatever is renamed around it.
#[derive(Clone, Debug)]
pub(crate) enum Dir {
    /// A directory of the host's.
    Host(Arc<HostDir>),
    /// A read-only directory that exists only in the sandbox: the parents of mounts, `/dev`.
    Static(StaticId),
    /// A directory of `/proc`.
    Proc(ProcDir),
    /// `/dev/pts`.
    Terminals,
}

/// A directory of the host's, open, and the mount through which it was reached.
#[derive(Debug)]
pub(crate) struct HostDir {
    pub(crate) fd: OwnedFd,
    pub(crate) mount: MountId,
    pub(crate) id: FileId,
}

impl HostDir {
    /// Takes an open directory of the host's for a directory of the sandbox.
    pub(crate) fn new(fd: OwnedFd, mount: MountId) -> Result<Self, Errno> {
        let id = FileId::of(&fd)?;
        Ok(Self { fd, mount, id })
    }
}

impl AsFd for HostDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Dir {
    /// Whether both are the same directory.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Host(a), Self::Host(b)) => a.id == b.id && a.mount == b.mount,
            (Self::Static(a), Self::Static(b)) => a == b,
            (Self::Proc(a), Self::Proc(b)) => a == b,
            (Self::Terminals, Self::Terminals) => true,
            _ => false,
        }
    }
}

/// Opens a handle of a directory of the host's that gives no right but to look below it.
pub(crate) fn open_directory(
    parent: impl AsFd,
    name: impl rustix::path::Arg,
    more: OFlags,
) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?)
}
