//! Calls on whole ranges that are already mapped: madvise, msync, mincore and the lock family.

use std::ops::Range;

use rawposix_abi::Errno;

use crate::host::{HostAdvice, Span};
use crate::layout::{Layout, bytes, pages};
use crate::pages::{Residency, pages_of};
use crate::pointer::GuestPtr;
use crate::region::{ForkPolicy, Protection, Region, Sharing, host_protection};
use crate::{AddressSpace, PAGE_SIZE, TOP};

/// msync(2)'s flags.
const MS_ASYNC: u32 = 1;
const MS_INVALIDATE: u32 = 2;
const MS_SYNC: u32 = 4;

/// mlockall(2)'s flags.
const MCL_CURRENT: u32 = 1;
const MCL_FUTURE: u32 = 2;
const MCL_ONFAULT: u32 = 4;

/// What an advice of madvise(2) asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    /// A hint that has no effect here.
    Ignored,
    /// MADV_WILLNEED
    WillNeed,
    /// MADV_DONTNEED and MADV_DONTNEED_LOCKED
    DontNeed,
    /// MADV_FREE: dropped at once.
    Free,
    /// MADV_REMOVE
    Remove,
    /// What fork does.
    Fork(ForkPolicy),
    /// MADV_POPULATE_READ and MADV_POPULATE_WRITE
    Populate(HostAdvice),
}

impl Advice {
    fn new(number: u32) -> Result<Self, Errno> {
        Ok(match number {
            // NORMAL, RANDOM, SEQUENTIAL
            0..=2 => Self::Ignored,
            3 => Self::WillNeed,
            4 | 24 => Self::DontNeed,
            8 => Self::Free,
            9 => Self::Remove,
            10 => Self::Fork(ForkPolicy::Skip),
            11 | 19 => Self::Fork(ForkPolicy::Inherit),
            // MERGEABLE, UNMERGEABLE, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP
            12..=17 => Self::Ignored,
            18 => Self::Fork(ForkPolicy::Wipe),
            // COLD, PAGEOUT
            20 | 21 => Self::Ignored,
            22 => Self::Populate(HostAdvice::PopulateRead),
            23 => Self::Populate(HostAdvice::PopulateWrite),
            // COLLAPSE
            25 => Self::Ignored,
            // HWPOISON, SOFT_OFFLINE
            100 | 101 => return Err(Errno::EPERM),
            _ => return Err(Errno::EINVAL),
        })
    }

    /// Whether it can be given for this mapping.
    fn check(self, region: &Region, number: u32) -> Result<(), Errno> {
        let refused = match self {
            Self::DontNeed => region.locked && number != 24,
            Self::Free => !region.is_anonymous_private(),
            Self::Fork(ForkPolicy::Wipe) => !region.is_anonymous_private(),
            Self::Remove => region.locked || region.sharing == Sharing::Private,
            _ => false,
        };
        if refused {
            return Err(Errno::EINVAL);
        }
        if self == Self::Remove && !region.protection.contains(Protection::WRITE) {
            return Err(Errno::EACCES);
        }
        Ok(())
    }
}

impl AddressSpace {
    /// madvise(2).
    ///
    /// # Errors
    /// EINVAL for unknown advice, an unaligned address or advice that does not fit the mapping;
    /// ENOMEM when part of the range is not mapped (the rest is advised).
    pub fn madvise(&self, addr: u32, len: u32, advice: u32) -> Result<(), Errno> {
        let wanted = Advice::new(advice)?;
        let range = pages(addr, len, Errno::EINVAL)?;
        if range.is_empty() {
            return Ok(());
        }
        let mut layout = self.layout().lock();
        let covered = layout.regions().is_covered(range.clone());
        if let Advice::Populate(host) = wanted {
            drop(layout);
            // This may read files, so it runs unlocked; the range stays inside the reservation.
            return match self.reservation().advise(span(&range)?, host) {
                _ if !covered => Err(Errno::ENOMEM),
                // The kernel's word for pages that cannot be had with this protection.
                result => result,
            };
        }
        let mut later = Vec::new();
        for (part, region) in layout.regions().within(range) {
            wanted.check(&region, advice)?;
            match wanted {
                Advice::DontNeed | Advice::Free => {
                    let protection = host_protection(region.protection);
                    self.forget_layers(&mut layout, part.clone(), protection)?;
                    self.reservation()
                        .advise(span(&part)?, HostAdvice::DontNeed)?;
                }
                Advice::Fork(policy) if region.fork != policy => {
                    layout.reserve_host_maps(self.reservation())?;
                    layout.change(part, |region| region.fork = policy);
                }
                Advice::WillNeed | Advice::Remove if region.file.is_some() => later.push(part),
                _ => {}
            }
        }
        drop(layout);
        let host = if wanted == Advice::Remove {
            HostAdvice::Remove
        } else {
            HostAdvice::WillNeed
        };
        for part in later {
            self.reservation().advise(span(&part)?, host)?;
        }
        if covered { Ok(()) } else { Err(Errno::ENOMEM) }
    }

    /// msync(2). Waits for the device only with MS_SYNC.
    ///
    /// # Errors
    /// EINVAL for unknown or contradicting flags or an unaligned address, EBUSY for MS_INVALIDATE
    /// on locked pages, ENOMEM when part of the range is not mapped, EIO.
    pub fn msync(&self, addr: u32, len: u32, flags: u32) -> Result<(), Errno> {
        let known = MS_ASYNC | MS_INVALIDATE | MS_SYNC;
        if flags & !known != 0 || flags & (MS_ASYNC | MS_SYNC) == MS_ASYNC | MS_SYNC {
            return Err(Errno::EINVAL);
        }
        let range = pages(addr, len, Errno::ENOMEM)?;
        let (parts, covered) = {
            let layout = self.layout().lock();
            (
                layout.regions().within(range.clone()),
                layout.regions().is_covered(range),
            )
        };
        for (part, region) in parts {
            if flags & MS_INVALIDATE != 0 && region.locked {
                return Err(Errno::EBUSY);
            }
            if flags & MS_SYNC != 0 && region.sharing == Sharing::Shared {
                self.reservation().sync(span(&part)?)?;
            }
        }
        if covered { Ok(()) } else { Err(Errno::ENOMEM) }
    }

    /// Bytes of the mappings that are in the host's memory (VmRSS).
    pub fn resident(&self) -> u64 {
        let ranges: Vec<_> = {
            let layout = self.layout().lock();
            let regions = layout.regions().iter();
            regions.map(|(range, _)| range.clone()).collect()
        };
        let mut buffer = Vec::new();
        let mut pages = 0;
        for range in ranges {
            let Ok(span) = span(&range) else { continue };
            buffer.clear();
            buffer.resize(span.len().div_ceil(PAGE_SIZE as usize), 0);
            // What is unmapped meanwhile is not resident.
            if self.reservation().residency(span, &mut buffer).is_ok() {
                pages += buffer.iter().filter(|page| **page & 1 != 0).count();
            }
        }
        pages as u64 * u64::from(PAGE_SIZE)
    }

    /// How much of a range of mappings is in the host's memory, and of which kind.
    ///
    /// # Errors
    /// ENOMEM where the host does not tell.
    pub fn residency(&self, range: Range<u32>) -> Result<Residency, Errno> {
        pages_of(self.reservation(), range)
    }

    /// mincore(2): writes one byte for each page to `residency`.
    ///
    /// # Errors
    /// EINVAL for an unaligned address, ENOMEM when part of the range is not mapped, EFAULT.
    pub fn mincore(&self, addr: u32, len: u32, residency: GuestPtr<u8>) -> Result<(), Errno> {
        const PAGES_AT_ONCE: u32 = 4096;
        let range = pages(addr, len, Errno::ENOMEM)?;
        if range.end > TOP || !self.layout().lock().regions().is_covered(range.clone()) {
            return Err(Errno::ENOMEM);
        }
        let mut buffer = [0_u8; PAGES_AT_ONCE as usize];
        let mut next = range.start;
        let mut out = residency;
        while next < range.end {
            let end = range
                .end
                .min(next.saturating_add(PAGES_AT_ONCE * PAGE_SIZE));
            let count = (end - next) / PAGE_SIZE;
            let filled = usize::try_from(count)
                .ok()
                .and_then(|count| buffer.get_mut(..count))
                .ok_or(Errno::ENOMEM)?;
            self.reservation().residency(span(&(next..end))?, filled)?;
            self.write_bytes(out, filled)?;
            out = match out.checked_byte_add(count) {
                Some(out) => out,
                None if end == range.end => out,
                None => return Err(Errno::EFAULT),
            };
            next = end;
        }
        Ok(())
    }

    /// mlock(2), as accounting: the pages count against RLIMIT_MEMLOCK and MADV_DONTNEED spares
    /// them, but the host may still swap them out.
    ///
    /// # Errors
    /// EPERM when nothing may be locked, ENOMEM above the limit or when part of the range is not
    /// mapped, EINVAL past the end of the address space.
    pub fn mlock(&self, addr: u32, len: u32) -> Result<(), Errno> {
        let range = lock_range(addr, len)?;
        let mut layout = self.layout().lock();
        if layout.limits.locked == 0 {
            return Err(Errno::EPERM);
        }
        let fresh: u64 = layout
            .regions()
            .within(range.clone())
            .iter()
            .filter(|(_, region)| !region.locked)
            .map(|(part, _)| bytes(part))
            .sum();
        if layout.usage().locked.saturating_add(fresh) > layout.limits.locked {
            return Err(Errno::ENOMEM);
        }
        self.set_locked(&mut layout, range, LockState::Locked)
    }

    /// munlock(2).
    ///
    /// # Errors
    /// ENOMEM when part of the range is not mapped, EINVAL past the end of the address space.
    pub fn munlock(&self, addr: u32, len: u32) -> Result<(), Errno> {
        let range = lock_range(addr, len)?;
        let mut layout = self.layout().lock();
        self.set_locked(&mut layout, range, LockState::Unlocked)
    }

    /// mlockall(2), as accounting.
    ///
    /// # Errors
    /// EINVAL for unknown or no flags, EPERM when nothing may be locked, ENOMEM above the limit.
    pub fn mlockall(&self, flags: u32) -> Result<(), Errno> {
        let known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
        if flags & !known != 0 || flags & (MCL_CURRENT | MCL_FUTURE) == 0 {
            return Err(Errno::EINVAL);
        }
        let mut layout = self.layout().lock();
        if layout.limits.locked == 0 {
            return Err(Errno::EPERM);
        }
        if flags & MCL_CURRENT != 0 {
            if layout.usage().total > layout.limits.locked {
                return Err(Errno::ENOMEM);
            }
            layout.change(0..TOP, |region| region.locked = true);
        }
        layout.lock_future = flags & MCL_FUTURE != 0;
        Ok(())
    }

    /// munlockall(2).
    pub fn munlockall(&self) {
        let mut layout = self.layout().lock();
        layout.change(0..TOP, |region| region.locked = false);
        layout.lock_future = false;
    }

    fn set_locked(
        &self,
        layout: &mut Layout,
        range: Range<u32>,
        state: LockState,
    ) -> Result<(), Errno> {
        let covered = layout.regions().is_covered(range.clone());
        if !range.is_empty() {
            layout.reserve_host_maps(self.reservation())?;
            layout.change(range, |region| region.locked = state == LockState::Locked);
        }
        if covered { Ok(()) } else { Err(Errno::ENOMEM) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LockState {
    Locked,
    Unlocked,
}

/// The pages that hold `len` bytes at `addr`, which need not be aligned.
fn lock_range(addr: u32, len: u32) -> Result<Range<u32>, Errno> {
    let start = addr - addr % PAGE_SIZE;
    let len = len.checked_add(addr - start).ok_or(Errno::EINVAL)?;
    pages(start, len, Errno::EINVAL)
}

fn span(range: &Range<u32>) -> Result<Span, Errno> {
    Span::new(range.start, bytes(range))
}
