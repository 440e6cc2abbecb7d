//! Root, working directory and file mode creation mask: what `CLONE_FS` shares.

use crate::fs::dir::Dir;

/// A file mode creation mask, see umask(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Umask(pub(crate) u32);

impl Umask {
    /// The mode that a new file gets: never one that would give the rights of lind's user to others.
    pub(crate) fn apply(self, mode: u32) -> rustix::fs::Mode {
        rustix::fs::Mode::from_bits_truncate(mode & 0o1777 & !self.0)
    }
}

/// The part of a process that paths are resolved with.
#[derive(Clone, Debug)]
pub(crate) struct FsContext {
    pub(crate) root: Dir,
    pub(crate) cwd: Dir,
    pub(crate) umask: Umask,
}
