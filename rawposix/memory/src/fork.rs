//! The copy of an address space that fork(2) makes.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock};

use rawposix_abi::Errno;

use crate::host::{HostProtection, Span};
use crate::layout::{Layout, bytes};
use crate::region::{ForkPolicy, Protection, Region, Sharing, host_protection};
use crate::{AddressSpace, PAGE_SIZE};

/// Bits of an entry of /proc/self/pagemap.
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const OF_A_FILE: u64 = 1 << 61;
/// Bytes of an entry.
const ENTRY: usize = 8;
/// Pages whose entries are read at once.
const PAGES_AT_ONCE: usize = 8192;

/// The kernel's description of this process's pages, opened once.
fn pagemap() -> Option<&'static File> {
    static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
    PAGEMAP
        .get_or_init(|| File::open("/proc/self/pagemap").ok())
        .as_ref()
}

impl AddressSpace {
    /// A copy: private pages are copied (only those that exist), shared mappings are shared.
    /// MADV_DONTFORK mappings are absent, MADV_WIPEONFORK ones are zero, locks are not inherited.
    ///
    /// The caller has stopped the process's other threads, so that the copy is of one moment.
    ///
    /// # Errors
    /// ENOMEM when the host has no room for it.
    pub fn fork(&self) -> Result<Arc<Self>, Errno> {
        let child = Self::new().map_err(|_| Errno::ENOMEM)?;
        let pagemap = pagemap().ok_or(Errno::ENOMEM)?;
        let parent = self.layout().lock();
        {
            let mut layout = child.layout().lock();
            layout.limits = parent.limits;
            layout.heap = parent.heap.clone();
            for (range, region) in parent.regions().iter() {
                if region.fork != ForkPolicy::Skip {
                    self.fork_region(&child, &mut layout, pagemap, (range, region))?;
                }
            }
        }
        Ok(child)
    }

    fn fork_region(
        &self,
        child: &Self,
        layout: &mut Layout,
        pagemap: &File,
        (range, region): (Range<u32>, &Region),
    ) -> Result<(), Errno> {
        layout.reserve_host_maps(child.reservation())?;
        let mut copy = region.clone();
        copy.locked = false;
        let protection = copy.protection;
        if region.sharing == Sharing::Shared || region.fork == ForkPolicy::Wipe {
            child.map_region(layout, range, copy)?;
            return Ok(());
        }
        // Written first, then given its protection.
        copy.protection = Protection::READ | Protection::WRITE;
        child.map_region(layout, range.clone(), copy)?;
        let span = Span::new(range.start, bytes(&range))?;
        let unreadable = host_protection(protection) == HostProtection::NONE;
        if unreadable {
            self.reservation().protect(span, HostProtection::READ)?;
        }
        let copied = self.copy_own_pages(child, pagemap, range.clone());
        if unreadable {
            self.reservation().protect(span, HostProtection::NONE)?;
        }
        copied?;
        if host_protection(protection) != HostProtection::READ_WRITE {
            child
                .reservation()
                .protect(span, host_protection(protection))?;
        }
        layout.change(range, |region| region.protection = protection);
        Ok(())
    }

    /// Copies the pages in `range` that are the process's own.
    fn copy_own_pages(&self, child: &Self, pagemap: &File, range: Range<u32>) -> Result<(), Errno> {
        let first_page = self.base().as_ptr().addr() as u64 / u64::from(PAGE_SIZE);
        let pages = usize::try_from((range.end - range.start) / PAGE_SIZE).unwrap_or(PAGES_AT_ONCE);
        let mut entries = vec![0; pages.min(PAGES_AT_ONCE) * ENTRY];
        let mut run: Option<Range<u32>> = None;
        let mut next = range.start;
        while next < range.end {
            let left = usize::try_from((range.end - next) / PAGE_SIZE).unwrap_or(PAGES_AT_ONCE);
            let part = entries
                .get_mut(..left.min(PAGES_AT_ONCE) * ENTRY)
                .ok_or(Errno::ENOMEM)?;
            let page = first_page + u64::from(next / PAGE_SIZE);
            pagemap
                .read_exact_at(part, page * ENTRY as u64)
                .map_err(|_| Errno::ENOMEM)?;
            for entry in part.as_chunks::<ENTRY>().0 {
                let entry = u64::from_ne_bytes(*entry);
                let own = entry & (PRESENT | SWAPPED) != 0 && entry & OF_A_FILE == 0;
                let end = next.saturating_add(PAGE_SIZE);
                run = match run {
                    Some(run) if own => Some(run.start..end),
                    None if own => Some(next..end),
                    run => {
                        self.copy_run(child, run)?;
                        None
                    }
                };
                next = end;
            }
        }
        self.copy_run(child, run)
    }

    fn copy_run(&self, child: &Self, run: Option<Range<u32>>) -> Result<(), Errno> {
        match run {
            Some(run) => {
                let span = Span::new(run.start, bytes(&run))?;
                if bytes(&run) > u64::from(PAGE_SIZE) {
                    // One call is cheaper than a fault for each page.
                    child.populate(span, Protection::WRITE);
                }
                self.reservation().copy_to(child.reservation(), span)
            }
            None => Ok(()),
        }
    }
}
