//! What a path leads to.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use rawposix_abi::Errno;
use rustix::fs::{FileType, Mode, OFlags};

use super::device::Device;
use super::dir::Dir;
use super::mount::MountId;
use super::procfs::ProcFile;
use crate::fd::OpenFile;

/// A file of the host's that is no directory, by an `O_PATH` handle: pinned, whatever happens to its name.
#[derive(Clone, Debug)]
pub(crate) struct HostNode {
    pub(crate) fd: Arc<OwnedFd>,
    pub(crate) mount: MountId,
    pub(crate) kind: FileType,
}

/// An object of the sandbox's file system.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Dir(Dir),
    Host(HostNode),
    Device(Device),
    /// A symbolic link of a synthetic directory.
    Link(Vec<u8>),
    Proc(ProcFile),
    /// A link of `/proc` to an open file.
    Open(Arc<OpenFile>),
    /// A link of `/proc` to a directory.
    Shortcut(Dir),
}

impl HostNode {
    /// Reads a symbolic link.
    pub(crate) fn read_link(&self) -> Result<Vec<u8>, Errno> {
        Ok(rustix::fs::readlinkat(&self.fd, c"", Vec::new())?.into_bytes())
    }

    /// A path in the host's `/proc` that names this very object, for calls that take no handle.
    pub(crate) fn proc_path(&self) -> String {
        proc_path(&*self.fd)
    }

    /// Opens the object itself.
    pub(crate) fn open(&self, flags: OFlags) -> Result<OwnedFd, Errno> {
        if self.kind == FileType::Symlink {
            return Err(Errno::ELOOP);
        }
        reopen(&*self.fd, flags)
    }
}

/// A path in the host's `/proc` that names an open file of the calling host thread: others may have descriptor tables of
/// their own.
pub(crate) fn proc_path(fd: impl AsFd) -> String {
    format!("/proc/thread-self/fd/{}", fd.as_fd().as_raw_fd())
}

/// Opens an open file once more, with other flags and an offset of its own.
pub(crate) fn reopen(fd: impl AsFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    let refused = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::PATH;
    let flags = (flags - refused) | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(rustix::fs::open(proc_path(fd), flags, Mode::empty())?)
}
