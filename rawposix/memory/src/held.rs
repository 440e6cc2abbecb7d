//! The files that mappings keep open, counted together.
//!
//! A mapping outlives the descriptor it was made from, so the limit on a guest's descriptors does
//! not bound them, and each may be a descriptor of the host.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rawposix_abi::Errno;
use rustix::process::{Resource, getrlimit};

use crate::region::MapFile;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// Files that all mappings together may hold: half of the host process's descriptors.
fn ceiling() -> usize {
    static CEILING: OnceLock<usize> = OnceLock::new();
    *CEILING.get_or_init(|| {
        getrlimit(Resource::Nofile)
            .current
            .map_or(usize::MAX, |limit| {
                usize::try_from(limit / 2).unwrap_or(usize::MAX)
            })
    })
}

/// A file that one call of mmap maps, until nothing of that mapping is left.
pub(crate) struct HeldFile {
    file: Arc<dyn MapFile>,
}

impl HeldFile {
    /// Holds `file`; ENFILE when mappings hold too many.
    pub(crate) fn new(file: Arc<dyn MapFile>) -> Result<Arc<Self>, Errno> {
        if HELD.fetch_add(1, Ordering::Relaxed) >= ceiling() {
            HELD.fetch_sub(1, Ordering::Relaxed);
            return Err(Errno::ENFILE);
        }
        Ok(Arc::new(Self { file }))
    }

    /// The file.
    pub(crate) fn file(&self) -> &Arc<dyn MapFile> {
        &self.file
    }

    /// Its descriptor.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.fd()
    }

    /// Whether both hold the same open file.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for HeldFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeldFile")
            .field(&Arc::as_ptr(&self.file))
            .finish()
    }
}
