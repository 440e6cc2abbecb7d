//! How much a private directory holds at most, as `size` and `nr_inodes` of tmpfs(5) say.
//!
//! Every file counts with its size, in whole pages, from when it grows until its last name and its last descriptor are
//! gone; holes count like data. Only the sandbox changes such files, so the sum is known without looking at the host.
//! Directories, links and empty files count nothing.
//!
//! Every name counts as an inode, the directory itself as one, and a file without a name as one until its last
//! descriptor is closed.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_memory::AddressSpace;

/// The room of one private directory.
#[derive(Debug)]
pub(crate) struct Quota {
    /// Bytes, whole pages; as good as endless without a limit.
    limit: u64,
    inodes: Option<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that all files have together.
    used: u64,
    /// Inodes beside the directory's own.
    inodes: u64,
    files: HashMap<u64, Counted>,
}

/// One file, by its inode.
#[derive(Debug, Default)]
struct Counted {
    /// What it counts with: bytes, whole pages.
    bytes: u64,
    /// Descriptions that refer to it.
    open: usize,
    /// It has no name any more, or none yet.
    is_nameless: bool,
}

fn pages(bytes: u64) -> u64 {
    bytes
        .checked_next_multiple_of(AddressSpace::PAGE_SIZE.into())
        .unwrap_or(u64::MAX)
}

impl Quota {
    /// Room for `limit` bytes, rounded up to whole pages, and so many inodes.
    pub(crate) fn new(limit: Option<u64>, inodes: Option<u64>) -> Self {
        Self {
            limit: limit.map_or(ENDLESS, pages),
            inodes,
            state: Mutex::default(),
        }
    }

    /// The limit and what is free of it, in bytes.
    pub(crate) fn room(&self) -> Option<(u64, u64)> {
        let used = self.state.lock().used;
        (self.limit != ENDLESS).then(|| (self.limit, self.limit.saturating_sub(used)))
    }

    /// The limit of inodes and what is free of it.
    pub(crate) fn inodes(&self) -> Option<(u64, u64)> {
        let used = self.state.lock().inodes + 1;
        self.inodes.map(|limit| (limit, limit.saturating_sub(used)))
    }

    /// Takes an inode for a new name. `ENOSPC` when there is none.
    pub(crate) fn take_inode(self: &Arc<Self>) -> Result<Inode, Errno> {
        let mut state = self.state.lock();
        if self.inodes.is_some_and(|limit| state.inodes + 1 >= limit) {
            return Err(Errno::ENOSPC);
        }
        state.inodes += 1;
        Ok(Inode(Some(Arc::clone(self))))
    }

    /// One of several names of a file is gone.
    pub(crate) fn lost_name(&self) {
        self.state.lock().lose_inode();
    }

    /// A file of this size is open; one without a name ends with its last description.
    pub(crate) fn open(self: &Arc<Self>, inode: u64, links: u64, size: u64) -> InQuota {
        let mut state = self.state.lock();
        let is_new = !state.files.contains_key(&inode);
        let file = state.files.entry(inode).or_default();
        file.open += 1;
        file.is_nameless = links == 0;
        if is_new {
            file.bytes = pages(size);
            state.used = state.used.saturating_add(pages(size));
        }
        InQuota {
            quota: Arc::clone(self),
            inode,
        }
    }

    /// A file has got a name.
    pub(crate) fn named(&self, inode: u64) {
        if let Some(file) = self.state.lock().files.get_mut(&inode) {
            file.is_nameless = false;
        }
    }

    /// The last name of a file is gone.
    pub(crate) fn unnamed(&self, inode: u64) {
        let mut state = self.state.lock();
        match state.files.get_mut(&inode) {
            Some(file) => {
                file.is_nameless = true;
                state.settle(inode);
            }
            None => state.lose_inode(),
        }
    }
}

/// The limit of a directory without one.
const ENDLESS: u64 = u64::MAX;

/// An inode for a name that is about to be made: given back unless it is.
#[derive(Debug)]
#[must_use]
pub(crate) struct Inode(Option<Arc<Quota>>);

impl Inode {
    /// The name has been made.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Inode {
    fn drop(&mut self) {
        if let Some(quota) = &self.0 {
            quota.lost_name();
        }
    }
}

impl State {
    fn lose_inode(&mut self) {
        self.inodes = self.inodes.saturating_sub(1);
    }

    /// Forgets a file that nothing leads to any more, or that counts nothing.
    fn settle(&mut self, inode: u64) {
        let Some(file) = self.files.get(&inode) else {
            return;
        };
        if file.open == 0 && (file.is_nameless || file.bytes == 0) {
            self.used = self.used.saturating_sub(file.bytes);
            if file.is_nameless {
                self.lose_inode();
            }
            self.files.remove(&inode);
        }
    }
}

/// An open file of a directory with a limit.
#[derive(Debug)]
pub(crate) struct InQuota {
    quota: Arc<Quota>,
    inode: u64,
}

impl InQuota {
    /// The file is to be written from `start` up to `end`: gives up to where there is room. `ENOSPC` when there is none.
    pub(crate) fn grow(&self, start: u64, end: u64) -> Result<u64, Errno> {
        let mut state = self.quota.state.lock();
        let free = self.quota.limit.saturating_sub(state.used);
        let file = state.files.entry(self.inode).or_default();
        let most = file.bytes.saturating_add(free);
        if most <= start && end > start {
            return Err(Errno::ENOSPC);
        }
        let end = end.min(most);
        let more = pages(end).saturating_sub(file.bytes);
        file.bytes += more;
        state.used += more;
        Ok(end)
    }

    /// The same for all or nothing.
    pub(crate) fn reserve(&self, end: u64) -> Result<(), Errno> {
        let mut state = self.quota.state.lock();
        let free = self.quota.limit.saturating_sub(state.used);
        let file = state.files.entry(self.inode).or_default();
        let more = pages(end).saturating_sub(file.bytes);
        if more > free {
            return Err(Errno::ENOSPC);
        }
        file.bytes += more;
        state.used += more;
        Ok(())
    }

    /// The file has been cut to this size.
    pub(crate) fn cut(&self, size: u64) {
        let mut state = self.quota.state.lock();
        let file = state.files.entry(self.inode).or_default();
        let less = file.bytes.saturating_sub(pages(size));
        file.bytes -= less;
        state.used = state.used.saturating_sub(less);
    }
}

impl Drop for InQuota {
    fn drop(&mut self) {
        let mut state = self.quota.state.lock();
        if let Some(file) = state.files.get_mut(&self.inode) {
            file.open = file.open.saturating_sub(1);
        }
        state.settle(self.inode);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;

    fn free(quota: &Quota) -> u64 {
        quota.room().unwrap().1
    }

    #[test]
    fn names_take_inodes_until_the_file_is_gone() {
        let quota = Arc::new(Quota::new(None, Some(4)));
        assert_eq!((quota.room(), quota.inodes()), (None, Some((4, 3))));
        quota.take_inode().unwrap().keep();
        drop(quota.take_inode().unwrap());
        quota.take_inode().unwrap().keep();
        let file = quota.open(7, 1, 100);
        quota.take_inode().unwrap().keep();
        assert_eq!(quota.take_inode().unwrap_err(), Errno::ENOSPC);
        // A further name, a directory, and a file that is still open.
        quota.lost_name();
        quota.unnamed(5);
        quota.unnamed(7);
        assert_eq!(quota.inodes(), Some((4, 2)));
        drop(file);
        assert_eq!(quota.inodes(), Some((4, 3)));
    }

    #[test]
    fn files_count_until_nothing_leads_to_them() {
        let quota = Arc::new(Quota::new(Some(10_000), None));
        assert_eq!(quota.room(), Some((12_288, 12_288)));
        let first = quota.open(1, 1, 0);
        assert_eq!(first.grow(0, 5), Ok(5));
        assert_eq!(first.grow(5, 4096), Ok(4096));
        assert_eq!(free(&quota), 8192);
        let second = quota.open(2, 0, 0);
        assert_eq!(second.reserve(8193), Err(Errno::ENOSPC));
        // As much as there is room for.
        assert_eq!(second.grow(1, 9000), Ok(8192));
        assert_eq!(second.grow(8192, 9000), Err(Errno::ENOSPC));
        assert_eq!(first.grow(100, 4096), Ok(4096));
        assert_eq!(first.grow(4096, 4097), Err(Errno::ENOSPC));
        drop(second);
        assert_eq!(free(&quota), 8192);
        drop(first);
        assert_eq!(free(&quota), 8192);
        quota.unnamed(1);
        assert_eq!(free(&quota), 12_288);
    }

    #[test]
    fn a_name_keeps_a_file_and_cutting_frees_it() {
        let quota = Arc::new(Quota::new(Some(8192), None));
        let file = quota.open(1, 0, 0);
        file.reserve(8192).unwrap();
        quota.named(1);
        drop(file);
        assert_eq!(free(&quota), 0);
        let file = quota.open(1, 1, 8192);
        file.cut(4097);
        assert_eq!(free(&quota), 0);
        file.cut(1);
        assert_eq!(free(&quota), 4096);
        quota.unnamed(1);
        assert_eq!(free(&quota), 4096);
        drop(file);
        assert_eq!(free(&quota), 8192);
        assert!(quota.state.lock().files.is_empty());
    }
}
