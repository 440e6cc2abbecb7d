//! Words that several address spaces can reach.

use std::os::fd::AsFd;

use crate::AddressSpace;
use crate::region::Sharing;

/// A word of a shared mapping, by what is mapped: the same for all address spaces that map it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SharedWord {
    device: u64,
    inode: u64,
    /// In bytes.
    offset: u64,
}

impl AddressSpace {
    /// What an address in a shared mapping means to others; `None` in private memory and where nothing is mapped.
    pub fn shared_word(&self, addr: u32) -> Option<SharedWord> {
        let (held, offset) = {
            let layout = self.layout().lock();
            let (range, region) = layout.regions().at(addr)?;
            if region.sharing != Sharing::Shared {
                return None;
            }
            let file = region.file.as_ref()?;
            let offset = file.offset + u64::from(addr - range.start);
            (file.held.clone(), offset)
        };
        let stat = rustix::fs::fstat(held.fd().as_fd()).ok()?;
        Some(SharedWord {
            device: stat.st_dev,
            inode: stat.st_ino,
            offset,
        })
    }
}
