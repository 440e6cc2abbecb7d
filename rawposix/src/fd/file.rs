//! Open file descriptions.

use std::any::Any;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rawposix_memory::{MapFile, MapLabel};

use super::own::{Own, OwnFile};
use super::watches::Watches;
use crate::fs::busy::InUse;
use crate::fs::device::Device;
use crate::fs::dir::Dir;
use crate::fs::listing::Listing;
use crate::fs::mount::MountId;
use crate::fs::node::Node;
use crate::fs::procfs::ProcFile;
use crate::fs::quota::InQuota;
use crate::fs::stat::VirtualStat;
use crate::net::{Farewell, Socket};
use crate::terminal::End;

/// An open file description: what dup(2) shares. See open(2).
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) object: Object,
    /// The flags it was opened with; only what the host does not keep for us is read from here.
    pub(crate) flags: OpenFlags,
}

/// What an open file description refers to.
#[derive(Debug)]
pub(crate) enum Object {
    /// A descriptor of the host's that is read and written directly.
    Host(HostFile),
    /// A directory.
    Dir(DirFile),
    /// An `O_PATH` descriptor.
    Path(Node),
    /// Something that rawposix itself keeps.
    Own(Own),
}

/// An open file of the host's.
#[derive(Debug)]
pub(crate) struct HostFile {
    /// Dropped first: what a terminal that is hung up sends comes before its end.
    pub(crate) origin: Origin,
    pub(crate) fd: OwnedFd,
    pub(crate) watches: Watches,
    /// Set while it is open for writing and could be executed.
    pub(crate) in_use: Option<InUse>,
    /// Set for a file of a directory that holds only so much.
    pub(crate) quota: Option<InQuota>,
    /// Dropped last: what a socket never received is given up when the host has let go of it.
    #[expect(dead_code, reason = "its end is what it is for")]
    farewell: Option<Farewell>,
}

impl HostFile {
    /// An open file that came from there.
    pub(crate) fn new(fd: OwnedFd, origin: Origin) -> Self {
        let farewell = match &origin {
            Origin::Socket(socket) => socket.farewell(),
            _ => None,
        };
        Self {
            origin,
            fd,
            watches: Watches::default(),
            farewell,
            in_use: None,
            quota: None,
        }
    }
}

/// Where an open file of the host's came from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// It was opened through this mount.
    Mount(MountId),
    /// It is one of lind's own standard streams: its access mode is all that was granted.
    Stream,
    /// It was opened by its name in `/dev`.
    Device(Device),
    /// It is an end of a terminal. A file of a mount is none, whatever device it may be.
    Terminal(End),
    /// It has no name: a pipe, a memfd. The text is what `/proc/self/fd` shows.
    Nameless(String),
    /// It is a socket.
    Socket(Arc<Socket>),
    /// It stands for a synthetic file.
    Virtual(VirtualStat, ProcFile),
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct DirFile {
    pub(crate) dir: Dir,
    /// A readable descriptor of the host's, for a host directory.
    pub(crate) fd: Option<OwnedFd>,
    pub(crate) listing: Mutex<Listing>,
}

impl OpenFile {
    /// A description of a host file.
    pub(crate) fn host_file(fd: OwnedFd, origin: Origin, flags: OpenFlags) -> Arc<Self> {
        let object = Object::Host(HostFile::new(fd, origin));
        Arc::new(Self { object, flags })
    }

    /// A description of an object of rawposix's own; of the flags, `O_NONBLOCK` can be changed later.
    pub(crate) fn own_file(file: Arc<dyn OwnFile>, flags: OpenFlags) -> Arc<Self> {
        let object = Object::Own(Own::new(file, flags.contains(OpenFlags::NONBLOCK)));
        Arc::new(Self { object, flags })
    }

    /// The object of rawposix's own that it refers to, if it is one of this kind.
    pub(crate) fn own<T: OwnFile>(&self) -> Option<&T> {
        match &self.object {
            Object::Own(own) => (own.file() as &dyn Any).downcast_ref(),
            _ => None,
        }
    }

    /// The host descriptor for reading and writing: `EISDIR` for a directory, `EBADF` for an `O_PATH` descriptor,
    /// `EINVAL` for an object of rawposix's own.
    pub(crate) fn host(&self) -> Result<&HostFile, Errno> {
        match &self.object {
            Object::Host(file) => Ok(file),
            Object::Dir(_) => Err(Errno::EISDIR),
            Object::Path(_) => Err(Errno::EBADF),
            Object::Own(_) => Err(Errno::EINVAL),
        }
    }

    /// The host descriptor for writing: `EBADF` for a directory, which is never open for writing.
    pub(crate) fn host_for_writing(&self) -> Result<&HostFile, Errno> {
        self.host().map_err(|errno| match errno {
            Errno::EISDIR => Errno::EBADF,
            errno => errno,
        })
    }

    /// The directory it refers to, if it refers to one.
    pub(crate) fn directory(&self) -> Option<Dir> {
        match &self.object {
            Object::Dir(file) => Some(file.dir.clone()),
            Object::Path(Node::Dir(dir)) => Some(dir.clone()),
            _ => None,
        }
    }

    /// Whether it was opened with `O_PATH`.
    pub(crate) fn is_path(&self) -> bool {
        matches!(self.object, Object::Path(_))
    }

    /// Any descriptor of the host's that stands for the object, even an `O_PATH` one.
    pub(crate) fn any_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.object {
            Object::Host(file) => Some(file.fd.as_fd()),
            Object::Dir(DirFile { fd: Some(fd), .. }) => Some(fd.as_fd()),
            Object::Dir(DirFile {
                dir: Dir::Host(dir),
                ..
            })
            | Object::Path(Node::Dir(Dir::Host(dir))) => Some(dir.as_fd()),
            Object::Path(Node::Host(node)) => Some(node.fd.as_fd()),
            Object::Path(Node::Open(file)) => file.any_fd(),
            Object::Dir(_) | Object::Path(_) | Object::Own(_) => None,
        }
    }
}

/// A mapped file keeps its description open.
#[derive(Debug)]
pub(crate) struct MappedFile {
    pub(crate) file: Arc<OpenFile>,
    pub(crate) label: MapLabel,
}

impl MapFile for MappedFile {
    fn fd(&self) -> BorrowedFd<'_> {
        // Only host files are made into one.
        self.file.any_fd().unwrap_or(rustix::fs::CWD)
    }

    fn label(&self) -> MapLabel {
        self.label.clone()
    }
}
