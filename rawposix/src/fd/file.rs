//! Open file descriptions.

use std::any::Any;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rawposix_memory::{MapFile, MapLabel};
use rustix::fs::FileType;

use super::own::{Own, OwnFile};
use super::watches::Watches;
use crate::fs::busy::InUse;
use crate::fs::device::Device;
use crate::fs::dir::{Dir, FileId, HostDir};
use crate::fs::listing::Listing;
use crate::fs::mount::MountId;
use crate::fs::node::Node;
use crate::fs::procfs::ProcFile;
use crate::fs::quota::InQuota;
use crate::fs::stat::VirtualStat;
use crate::net::{Farewell, LastWord, Socket};
use crate::terminal::End;

/// An open file description: what dup(2) shares. See open(2).
#[derive(Debug)]
pub(crate) struct OpenFile {
    object: Object,
    /// Set while it is not known whether the host's file is a directory, and then what that was found to be: nothing
    /// for any other file.
    late: Option<OnceLock<Option<Box<Object>>>>,
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
    /// Dropped first, for the peer of a socket reads no end before it is told of another.
    #[expect(dead_code, reason = "its end is what it is for")]
    last_word: Option<LastWord>,
    /// What a terminal that is hung up sends comes before its end.
    pub(crate) origin: Origin,
    pub(crate) fd: OwnedFd,
    pub(crate) watches: Watches,
    /// Set while it is open for writing and could be executed.
    pub(crate) in_use: Option<InUse>,
    /// Set where the domain of who opened it does not let it be truncated.
    pub(crate) keeps_size: bool,
    /// Set for a file of a directory that holds only so much.
    pub(crate) quota: Option<InQuota>,
    /// Dropped last: what a socket never received is given up when the host has let go of it.
    #[expect(dead_code, reason = "its end is what it is for")]
    farewell: Option<Farewell>,
}

impl HostFile {
    /// An open file that came from there.
    pub(crate) fn new(fd: OwnedFd, origin: Origin) -> Self {
        let (last_word, farewell) = match &origin {
            Origin::Socket(socket) => (LastWord::of(socket), socket.farewell()),
            _ => (None, None),
        };
        Self {
            last_word,
            origin,
            fd,
            watches: Watches::default(),
            farewell,
            in_use: None,
            keeps_size: false,
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
    /// A readable descriptor of the host's, for a host directory whose handle is none.
    fd: Option<OwnedFd>,
    pub(crate) listing: Mutex<Listing>,
}

impl DirFile {
    /// A directory of the sandbox; that of a host directory must be readable.
    pub(crate) fn new(dir: Dir) -> Self {
        Self {
            dir,
            fd: None,
            listing: Mutex::default(),
        }
    }

    /// The same, read by this descriptor.
    pub(crate) fn with_readable(dir: Dir, fd: OwnedFd) -> Self {
        Self {
            fd: Some(fd),
            ..Self::new(dir)
        }
    }

    /// The host's descriptor for reading, of a host directory.
    pub(crate) fn readable(&self) -> Option<BorrowedFd<'_>> {
        match (&self.fd, &self.dir) {
            (Some(fd), _) => Some(fd.as_fd()),
            (None, Dir::Host(dir)) => Some(dir.as_fd()),
            (None, _) => None,
        }
    }
}

impl OpenFile {
    /// A description of this object.
    pub(crate) fn new(object: Object, flags: OpenFlags) -> Arc<Self> {
        Arc::new(Self {
            object,
            late: None,
            flags,
        })
    }

    /// A description of a host file.
    pub(crate) fn host_file(fd: OwnedFd, origin: Origin, flags: OpenFlags) -> Arc<Self> {
        Self::new(Object::Host(HostFile::new(fd, origin)), flags)
    }

    /// A description of a file of a mount that was opened for reading and may be a directory. Most programs never do
    /// what would make a difference, so the host is asked when they do.
    pub(crate) fn late(fd: OwnedFd, mount: MountId, flags: OpenFlags) -> Arc<Self> {
        Arc::new(Self {
            object: Object::Host(HostFile::new(fd, Origin::Mount(mount))),
            late: Some(OnceLock::new()),
            flags,
        })
    }

    /// What it refers to.
    pub(crate) fn object(&self) -> &Object {
        match &self.late {
            None => &self.object,
            Some(late) => self.learned(late),
        }
    }

    /// The same without a look at the host: a directory may be a host file here. The host refuses to read, write and
    /// map it as it refuses everybody.
    #[inline(always)]
    pub(crate) fn as_opened(&self) -> &Object {
        &self.object
    }

    fn learned<'a>(&'a self, late: &'a OnceLock<Option<Box<Object>>>) -> &'a Object {
        let found = match late.get() {
            Some(found) => found,
            None => match self.directory_of_host() {
                Ok(found) => late.get_or_init(|| found.map(Box::new)),
                // Without a descriptor for it, it is none this time.
                Err(_) => return &self.object,
            },
        };
        found.as_deref().unwrap_or(&self.object)
    }

    /// The directory that a file of the host's is.
    fn directory_of_host(&self) -> Result<Option<Object>, Errno> {
        let Object::Host(HostFile {
            fd,
            origin: Origin::Mount(mount),
            ..
        }) = &self.object
        else {
            return Ok(None);
        };
        let stat = rustix::fs::fstat(fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return Ok(None);
        }
        let dir = HostDir {
            fd: rustix::io::fcntl_dupfd_cloexec(fd, 0)?,
            mount: *mount,
            id: FileId {
                device: stat.st_dev,
                inode: stat.st_ino,
            },
        };
        let dir = Dir::Host(Arc::new(dir));
        Ok(Some(Object::Dir(DirFile::new(dir))))
    }

    /// A description of an object of rawposix's own; of the flags, `O_NONBLOCK` can be changed later.
    pub(crate) fn own_file(file: Arc<dyn OwnFile>, flags: OpenFlags) -> Arc<Self> {
        let object = Object::Own(Own::new(file, flags.contains(OpenFlags::NONBLOCK)));
        Self::new(object, flags)
    }

    /// The object of rawposix's own that it refers to, if it is one of this kind.
    pub(crate) fn own<T: OwnFile>(&self) -> Option<&T> {
        match &self.object {
            Object::Own(own) => (own.file() as &dyn Any).downcast_ref(),
            _ => None,
        }
    }

    /// The host descriptor for reading and writing: `EISDIR` for what is known as a directory, `EBADF` for an `O_PATH` descriptor,
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
        match self.object() {
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
            Object::Dir(dir) => dir.readable(),
            Object::Path(Node::Dir(Dir::Host(dir))) => Some(dir.as_fd()),
            Object::Path(Node::Host(node)) => Some(node.fd.as_fd()),
            Object::Path(Node::Open(file)) => file.any_fd(),
            Object::Path(_) | Object::Own(_) => None,
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
