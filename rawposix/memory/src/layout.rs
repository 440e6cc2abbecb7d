//! The book-keeping of an address space: regions, the break, sizes and their limits.

use std::ops::Range;

use rawposix_abi::Errno;

use crate::budget::Share;
use crate::host::Reservation;
use crate::interval::IntervalMap;
use crate::layer::{COPY_LIMIT, Layers};
use crate::region::Region;
use crate::{MIN_ADDR, MemoryLimits, PAGE_SIZE, TOP, Usage};

/// Rounds up to whole pages; nothing past the 32-bit space.
pub(crate) fn page_up(len: u32) -> Option<u32> {
    len.checked_next_multiple_of(PAGE_SIZE)
}

/// Whether `addr` is on a page boundary.
pub(crate) fn is_page(addr: u32) -> bool {
    addr.is_multiple_of(PAGE_SIZE)
}

/// The whole pages of `len` bytes at a page-aligned `addr`.
///
/// EINVAL for an unaligned address, `overflow` past the end of the 32-bit space.
pub(crate) fn pages(addr: u32, len: u32, overflow: Errno) -> Result<Range<u32>, Errno> {
    if !is_page(addr) {
        return Err(Errno::EINVAL);
    }
    let len = page_up(len).ok_or(overflow)?;
    let end = addr.checked_add(len).ok_or(overflow)?;
    Ok(addr..end)
}

/// The length of a range in bytes.
pub(crate) fn bytes(range: &Range<u32>) -> u64 {
    u64::from(range.end.saturating_sub(range.start))
}

#[derive(Debug)]
pub(crate) struct Layout {
    regions: IntervalMap<Region>,
    share: Share,
    usage: Usage,
    pub(crate) limits: MemoryLimits,
    /// Where the break starts, and where it is.
    pub(crate) heap: Range<u32>,
    /// mlockall(MCL_FUTURE).
    pub(crate) lock_future: bool,
    /// The parts of private memory that a fork has frozen.
    pub(crate) layers: Layers,
    /// Bytes that a fork copies rather than freezes.
    pub(crate) copy_limit: u64,
}

impl Layout {
    pub(crate) fn new() -> Self {
        Self {
            regions: IntervalMap::default(),
            share: Share::new(),
            usage: Usage::default(),
            limits: MemoryLimits::default(),
            heap: MIN_ADDR..MIN_ADDR,
            lock_future: false,
            layers: Layers::default(),
            copy_limit: COPY_LIMIT,
        }
    }

    pub(crate) fn regions(&self) -> &IntervalMap<Region> {
        &self.regions
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Refuses an operation that could need more host mappings than there may be.
    pub(crate) fn reserve_host_maps(&mut self, reservation: &Reservation) -> Result<(), Errno> {
        if self
            .share
            .has_room(&mut self.regions, &mut self.layers, reservation)
        {
            Ok(())
        } else {
            Err(Errno::ENOMEM)
        }
    }

    /// Records that `range` is now `region`; gives what it replaces, to be dropped unlocked.
    pub(crate) fn place(&mut self, range: Range<u32>, region: Region) -> Vec<(Range<u32>, Region)> {
        let old = self.clear(range.clone());
        self.account(&range, &region, u64::wrapping_add);
        self.regions.insert(range, region);
        self.settle();
        old
    }

    /// Records that `range`, in which the host has mapped all that it needs already, is now `region`.
    pub(crate) fn cover(&mut self, range: Range<u32>, region: Region) {
        for (part, old) in self.regions.within(range.clone()) {
            self.account(&part, &old, u64::wrapping_sub);
        }
        self.account(&range, &region, u64::wrapping_add);
        self.regions.cover(range, region);
        self.settle();
    }

    /// Records that `range` is unmapped; gives what it was, to be dropped unlocked.
    pub(crate) fn clear(&mut self, range: Range<u32>) -> Vec<(Range<u32>, Region)> {
        self.layers.remove(range.clone());
        let old = self.regions.remove(range);
        for (range, region) in &old {
            self.account(range, region, u64::wrapping_sub);
        }
        self.settle();
        old
    }

    /// Changes the attributes of what is mapped in `range`.
    pub(crate) fn change(&mut self, range: Range<u32>, change: impl Fn(&mut Region)) {
        for (part, mut region) in self.regions.remove(range) {
            self.account(&part, &region, u64::wrapping_sub);
            change(&mut region);
            self.account(&part, &region, u64::wrapping_add);
            self.regions.insert(part, region);
        }
        self.settle();
    }

    /// Counts the host mappings again.
    pub(crate) fn settle(&mut self) {
        self.share.settle(&self.regions, &self.layers);
    }

    fn account(&mut self, range: &Range<u32>, region: &Region, apply: fn(u64, u64) -> u64) {
        let size = bytes(range);
        self.usage.total = apply(self.usage.total, size);
        if region.is_data() {
            self.usage.data = apply(self.usage.data, size);
        }
        if region.locked {
            self.usage.locked = apply(self.usage.locked, size);
        }
        if region.sharing == crate::Sharing::Shared {
            self.usage.shared = apply(self.usage.shared, size);
        }
    }

    /// The mapped bytes in `range`.
    pub(crate) fn mapped_bytes(&self, range: Range<u32>) -> u64 {
        self.regions
            .overlapping(range.clone())
            .map(|(found, _)| bytes(&(found.start.max(range.start)..found.end.min(range.end))))
            .sum()
    }

    /// Refuses `growth` more bytes of `region`'s sort if that exceeds RLIMIT_AS, RLIMIT_DATA or,
    /// for locked memory, RLIMIT_MEMLOCK (EAGAIN).
    pub(crate) fn allow(&self, growth: u64, region: &Region) -> Result<(), Errno> {
        if self.usage.total.saturating_add(growth) > self.limits.address_space {
            return Err(Errno::ENOMEM);
        }
        if region.is_data() && self.usage.data.saturating_add(growth) > self.limits.data {
            return Err(Errno::ENOMEM);
        }
        if region.locked && self.usage.locked.saturating_add(growth) > self.limits.locked {
            return Err(Errno::EAGAIN);
        }
        Ok(())
    }

    /// A free range of `len` bytes: at `hint` if that is free, else the highest there is.
    pub(crate) fn find_free(&self, hint: u32, len: u32) -> Result<Range<u32>, Errno> {
        if hint != 0 {
            let hint = (hint - hint % PAGE_SIZE).max(MIN_ADDR);
            if let Some(end) = hint.checked_add(len).filter(|&end| end <= TOP)
                && self.regions.is_free(hint..end)
            {
                return Ok(hint..end);
            }
        }
        // Below the break is the program; its holes are left alone.
        let floor = page_up(self.heap.end).ok_or(Errno::ENOMEM)?.max(MIN_ADDR);
        let start = self
            .regions
            .highest_gap(len, floor..TOP)
            .ok_or(Errno::ENOMEM)?;
        Ok(start..start.saturating_add(len))
    }
}
