//! From the numbers and paths that a thread names to what they are.

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{AT_FDCWD, AtFlags};
use rawposix_memory::GuestCStr;

use super::Thread;
use crate::fd::OpenFile;
use crate::fs::PATH_MAX;
use crate::fs::dir::Dir;
use crate::fs::node::Node;
use crate::fs::walk::{Entry, Follow, Parent, Walk};

impl Thread {
    /// The open file that `fd` refers to.
    pub(crate) fn file(&self, fd: i32) -> Result<Arc<OpenFile>, Errno> {
        self.process.file(fd)
    }

    /// Copies a path in. `ENAMETOOLONG` from 4096 bytes on.
    pub(crate) fn read_path(&self, path: GuestCStr) -> Result<Vec<u8>, Errno> {
        self.space.read_string(path, PATH_MAX)
    }

    /// A path resolution for this thread.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk::new(
            self.process.mounts(),
            self.process.root(),
            Some(&self.process),
        )
        .by(self.tid())
    }

    /// Where a path that is given with a directory descriptor starts.
    pub(crate) fn start(&self, dirfd: i32, path: &[u8]) -> Result<Dir, Errno> {
        if path.first() == Some(&b'/') {
            return Ok(self.process.root());
        }
        self.directory(dirfd)
    }

    /// The directory that a descriptor, or `AT_FDCWD`, refers to.
    pub(crate) fn directory(&self, dirfd: i32) -> Result<Dir, Errno> {
        if dirfd == AT_FDCWD {
            return Ok(self.process.cwd());
        }
        self.file(dirfd)?.directory().ok_or(Errno::ENOTDIR)
    }

    /// The object that a path leads to.
    pub(crate) fn node(&self, dirfd: i32, path: &[u8], follow: Follow) -> Result<Node, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        self.walk().node(self.start(dirfd, path)?, path, follow)
    }

    /// The object of a call that takes `AT_EMPTY_PATH`: with an empty path, the descriptor's own.
    pub(crate) fn node_or_file(
        &self,
        dirfd: i32,
        path: &[u8],
        flags: AtFlags,
        follow: Follow,
    ) -> Result<Node, Errno> {
        if !path.is_empty() || !flags.contains(AtFlags::EMPTY_PATH) {
            return self.node(dirfd, path, follow);
        }
        if dirfd == AT_FDCWD {
            return Ok(Node::Dir(self.process.cwd()));
        }
        let file = self.file(dirfd)?;
        Ok(match file.directory() {
            Some(dir) => Node::Dir(dir),
            None => Node::Open(file),
        })
    }

    /// The directory and the name of a path whose last name is to be made, removed or moved.
    /// `last` is the error for a path that ends in `.`, `..` or `/`.
    pub(crate) fn entry(&self, dirfd: i32, path: &[u8], last: Errno) -> Result<Entry, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        match self.walk().parent(self.start(dirfd, path)?, path)? {
            Parent::Entry(entry) => Ok(entry),
            Parent::Itself(_) => Err(last),
        }
    }
}
