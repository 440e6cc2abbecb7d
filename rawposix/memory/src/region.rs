//! What the map remembers of a mapping.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rawposix_abi::Errno;

use crate::held::HeldFile;
use crate::host::{HostProtection, Source};
use crate::interval::Piece;

/// PROT_*: what the guest may do with a mapping.
///
/// The host never makes guest memory executable; EXEC is remembered, and implies readable as on x86 processors without
/// protection keys.
pub use rawposix_abi::flags::Prot as Protection;

/// The bits that a mapping has.
pub(crate) const MAPPED: Protection = Protection::READ
    .union(Protection::WRITE)
    .union(Protection::EXEC);

/// The protection of the host's pages.
pub(crate) fn host_protection(protection: Protection) -> HostProtection {
    if protection.contains(Protection::WRITE) {
        HostProtection::READ_WRITE
    } else if protection.intersects(Protection::READ | Protection::EXEC) {
        HostProtection::READ
    } else {
        HostProtection::NONE
    }
}

/// Where a file is, as /proc/self/maps shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapLabel {
    /// Device number (major in the upper, minor in the lower byte, as `st_dev`).
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// The guest's path of the file; empty when it has none.
    pub path: Vec<u8>,
}

/// An open file that can be mapped. A mapping keeps it open, as on Linux.
pub trait MapFile: Send + Sync {
    /// The host descriptor. Its access mode limits the mapping's protection.
    fn fd(&self) -> BorrowedFd<'_>;

    /// A number by which its owner finds its mappings with [`mapped_serials`](crate::AddressSpace::mapped_serials).
    fn serial(&self) -> Option<u64> {
        None
    }

    /// What to show of it in /proc/self/maps.
    fn label(&self) -> MapLabel {
        MapLabel::default()
    }
}

impl MapFile for OwnedFd {
    fn fd(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

/// The file behind a mapping.
#[derive(Clone)]
pub struct FileSource {
    /// The open file.
    pub file: Arc<dyn MapFile>,
    /// Where in the file the mapping starts, in bytes.
    pub offset: u64,
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSource")
            .field("file", &Arc::as_ptr(&self.file))
            .field("offset", &self.offset)
            .finish()
    }
}

/// Whether stores reach others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// MAP_PRIVATE: a fork copies it.
    Private,
    /// MAP_SHARED: a fork shares it, and stores reach the file.
    Shared,
}

/// What a mapping is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionKind {
    /// The program's stack, data and bss.
    Image,
    /// The area of brk(2).
    Heap,
    /// Made by mmap(2).
    Mapping,
}

/// The file behind a region, and where in it the region starts.
#[derive(Clone, Debug)]
pub(crate) struct Backing {
    pub(crate) held: Arc<HeldFile>,
    pub(crate) offset: u64,
}

/// A mapping's attributes; those of one range of the interval map.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) protection: Protection,
    pub(crate) sharing: Sharing,
    pub(crate) kind: RegionKind,
    /// The file, or the memory file of a shared anonymous mapping; none for private memory.
    pub(crate) file: Option<Backing>,
    /// Whether the file is only there to share memory, so nobody sees it by name.
    pub(crate) nameless: bool,
    pub(crate) locked: bool,
    pub(crate) fork: ForkPolicy,
}

/// What fork does with a mapping (madvise(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForkPolicy {
    /// Copied or shared.
    Inherit,
    /// MADV_DONTFORK: absent in the child.
    Skip,
    /// MADV_WIPEONFORK: zero in the child.
    Wipe,
}

impl Region {
    /// Private memory that starts as zero.
    pub(crate) fn private(protection: Protection, kind: RegionKind) -> Self {
        Self {
            protection,
            sharing: Sharing::Private,
            kind,
            file: None,
            nameless: false,
            locked: false,
            fork: ForkPolicy::Inherit,
        }
    }

    /// What the host maps for it.
    pub(crate) fn source(&self) -> Source<'_> {
        match (&self.file, self.sharing) {
            (None, _) => Source::Anonymous,
            (Some(file), Sharing::Private) => Source::Private(file.held.fd(), file.offset),
            (Some(file), Sharing::Shared) => Source::Shared(file.held.fd(), file.offset),
        }
    }

    /// Whether it counts for RLIMIT_DATA.
    pub(crate) fn is_data(&self) -> bool {
        self.sharing == Sharing::Private && self.protection.contains(Protection::WRITE)
    }

    /// Whether its pages are the process's own memory, zero when dropped.
    pub(crate) fn is_anonymous_private(&self) -> bool {
        self.file.is_none()
    }

    /// The region with its file offset moved on; EOVERFLOW past the largest offset.
    pub(crate) fn checked_offset(&self, by: u32) -> Result<(), Errno> {
        match &self.file {
            Some(file) if file.offset.checked_add(u64::from(by)).is_none() => Err(Errno::EOVERFLOW),
            _ => Ok(()),
        }
    }
}

impl Piece for Region {
    fn advanced(&self, by: u32) -> Self {
        let mut rest = self.clone();
        if let Some(file) = &mut rest.file {
            file.offset = file.offset.wrapping_add(u64::from(by));
        }
        rest
    }

    fn continues(&self, len: u32, next: &Self) -> bool {
        let same_file = match (&self.file, &next.file) {
            (None, None) => true,
            (Some(this), Some(next)) => {
                this.held.is_same(&next.held)
                    && this.offset.checked_add(u64::from(len)) == Some(next.offset)
            }
            _ => false,
        };
        same_file
            && self.protection == next.protection
            && self.sharing == next.sharing
            && self.kind == next.kind
            && self.nameless == next.nameless
            && self.locked == next.locked
            && self.fork == next.fork
    }
}
