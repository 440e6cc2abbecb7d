//! Which pages of an address space are the process's own, as the kernel tells it.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rawposix_abi::Errno;

use crate::PAGE_SIZE;
use crate::host::{Reservation, last_errno};
use crate::layout::bytes;

/// Gaps between ranges that are looked through with them: most have nothing, which costs less than another call.
const NEAR: u32 = 2 << 20;

/// The pages in `ranges`, which ascend, that hold something of their own: those of anonymous memory that were ever
/// written, and those of private file mappings that were. Ascending, as long as they can be.
pub(crate) fn own_pages(
    reservation: &Reservation,
    ranges: impl Iterator<Item = Range<u32>>,
) -> Result<Runs, Errno> {
    let mut runs = Runs::default();
    let mut joined: Option<Range<u32>> = None;
    for range in ranges {
        match &mut joined {
            Some(last) if range.start.saturating_sub(last.end) <= NEAR => last.end = range.end,
            last => {
                if let Some(done) = last.replace(range) {
                    look(reservation, done, &mut runs)?;
                }
            }
        }
    }
    if let Some(last) = joined {
        look(reservation, last, &mut runs)?;
    }
    Ok(runs)
}

/// Disjoint ranges of pages that do not touch, ascending.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(Vec<Range<u32>>);

impl Runs {
    /// Adds a range that is not before the last one.
    pub(crate) fn push(&mut self, range: Range<u32>) {
        match self.0.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ if range.is_empty() => {}
            _ => self.0.push(range),
        }
    }

    /// The parts inside `range`.
    pub(crate) fn within(&self, range: Range<u32>) -> impl Iterator<Item = Range<u32>> {
        let first = self.0.partition_point(|run| run.end <= range.start);
        self.0
            .iter()
            .skip(first)
            .take_while(move |run| run.start < range.end)
            .map(move |run| run.start.max(range.start)..run.end.min(range.end))
    }

    /// The parts of `range` that are in no run.
    pub(crate) fn gaps(&self, range: Range<u32>) -> impl Iterator<Item = Range<u32>> {
        let end = range.end;
        let mut next = range.start;
        let runs = self.within(range).map(Some).chain([None]);
        runs.filter_map(move |run| {
            let gap = next..run.as_ref().map_or(end, |run| run.start);
            next = run.map_or(end, |run| run.end);
            (!gap.is_empty()).then_some(gap)
        })
    }

    /// What is in no run of `others`.
    pub(crate) fn without(&self, others: &Self) -> Self {
        let mut rest = Self::default();
        for run in self.iter() {
            others.gaps(run).for_each(|part| rest.push(part));
        }
        rest
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u32>> {
        self.0.iter().cloned()
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How much they hold.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().map(bytes).sum()
    }
}

/// How much of a range the host has in memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residency {
    /// Pages that belong to no file.
    pub anonymous: u64,
    /// Pages of files that nothing else maps.
    pub only: u64,
    /// Pages of files that others map as well.
    pub common: u64,
    /// Pages that were moved to the swap space.
    pub swapped: u64,
}

/// The residency of a range.
pub(crate) fn pages_of(reservation: &Reservation, range: Range<u32>) -> Result<Residency, Errno> {
    let mut found = Residency::default();
    entries(reservation, range, |_, entry| {
        let sum = match entry & (PRESENT | SWAPPED | OF_A_FILE | EXCLUSIVE) {
            entry if entry & SWAPPED != 0 => &mut found.swapped,
            entry if entry & PRESENT == 0 => return,
            entry if entry & OF_A_FILE != 0 && entry & EXCLUSIVE != 0 => &mut found.only,
            entry if entry & OF_A_FILE != 0 => &mut found.common,
            // The page of zeros is nobody's.
            entry if entry & EXCLUSIVE == 0 => return,
            _ => &mut found.anonymous,
        };
        *sum += u64::from(PAGE_SIZE);
    })?;
    Ok(found)
}

/// The kernel's description of this process's pages, opened once.
fn pagemap() -> Result<&'static File, Errno> {
    static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
    PAGEMAP
        .get_or_init(|| File::open("/proc/self/pagemap").ok())
        .as_ref()
        .ok_or(Errno::ENOMEM)
}

fn look(reservation: &Reservation, range: Range<u32>, runs: &mut Runs) -> Result<(), Errno> {
    /// Set when the kernel does not know the faster way (before Linux 6.7).
    static OLD: AtomicBool = AtomicBool::new(false);
    if !OLD.load(Ordering::Relaxed) {
        match scan(reservation, range.clone(), runs) {
            Err(Errno::ENOTTY | Errno::EINVAL | Errno::EPERM) => OLD.store(true, Ordering::Relaxed),
            result => return result,
        }
    }
    read(reservation, range, runs)
}

/// `struct pm_scan_arg` of linux/fs.h.
#[repr(C)]
struct ScanArgument {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `struct page_region` of linux/fs.h.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

/// Regions that one call of the kernel's gives.
const REGIONS: usize = 128;
/// `PAGEMAP_SCAN`, `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: libc::Ioctl = 0xC060_6610;
const IS_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
const IS_ZERO_PAGE: u64 = 1 << 5;

/// By the ioctl for that, which passes over what is not there.
fn scan(reservation: &Reservation, range: Range<u32>, runs: &mut Runs) -> Result<(), Errno> {
    let pagemap = pagemap()?;
    let base = reservation.base().as_ptr().addr() as u64;
    let end = base + u64::from(range.end);
    let mut start = base + u64::from(range.start);
    let mut regions = [PageRegion::default(); REGIONS];
    let guest = |address: u64| u32::try_from(address.wrapping_sub(base)).map_err(|_| Errno::ENOMEM);
    while start < end {
        let mut argument = ScanArgument {
            size: size_of::<ScanArgument>() as u64,
            flags: 0,
            start,
            end,
            walk_end: 0,
            vec: regions.as_mut_ptr().addr() as u64,
            vec_len: REGIONS as u64,
            max_pages: 0,
            category_inverted: IS_FILE | IS_ZERO_PAGE,
            category_mask: IS_FILE | IS_ZERO_PAGE,
            category_anyof_mask: IS_PRESENT | IS_SWAPPED,
            return_mask: IS_PRESENT,
        };
        // SAFETY: the argument is whole, and `regions` has the length that it says; the kernel only looks at the pages.
        let found = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &raw mut argument) };
        let found = usize::try_from(found).map_err(|_| last_errno())?;
        for region in regions.iter().take(found) {
            runs.push(guest(region.start)?..guest(region.end)?);
        }
        if argument.walk_end <= start {
            return Err(Errno::ENOMEM);
        }
        start = argument.walk_end;
    }
    Ok(())
}

/// Bits of an entry of /proc/self/pagemap.
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const OF_A_FILE: u64 = 1 << 61;
/// It is mapped once.
const EXCLUSIVE: u64 = 1 << 56;
/// Bytes of an entry.
const ENTRY: usize = 8;
/// Pages whose entries are read at once.
const PAGES_AT_ONCE: usize = 8192;

/// By reading an entry for each page.
fn read(reservation: &Reservation, range: Range<u32>, runs: &mut Runs) -> Result<(), Errno> {
    entries(reservation, range, |page, entry| {
        if entry & (PRESENT | SWAPPED) != 0 && entry & OF_A_FILE == 0 {
            runs.push(page..page.saturating_add(PAGE_SIZE));
        }
    })
}

/// Reads the entry of each page and hands it to `f`, with the page's address.
fn entries(
    reservation: &Reservation,
    range: Range<u32>,
    mut f: impl FnMut(u32, u64),
) -> Result<(), Errno> {
    let pagemap = pagemap()?;
    let first_page = reservation.base().as_ptr().addr() as u64 / u64::from(PAGE_SIZE);
    let pages = |range: Range<u32>| {
        usize::try_from((range.end - range.start) / PAGE_SIZE)
            .unwrap_or(PAGES_AT_ONCE)
            .min(PAGES_AT_ONCE)
    };
    let mut entries = vec![0; pages(range.clone()) * ENTRY];
    let mut next = range.start;
    while next < range.end {
        let part = entries
            .get_mut(..pages(next..range.end) * ENTRY)
            .ok_or(Errno::ENOMEM)?;
        let page = first_page + u64::from(next / PAGE_SIZE);
        pagemap
            .read_exact_at(part, page * ENTRY as u64)
            .map_err(|_| Errno::ENOMEM)?;
        for entry in part.as_chunks::<ENTRY>().0 {
            f(next, u64::from_ne_bytes(*entry));
            next = next.saturating_add(PAGE_SIZE);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;
    use crate::host::{HostAdvice, HostProtection, Source, Span};

    #[test]
    fn runs_have_parts_and_gaps() {
        let mut runs = Runs::default();
        for range in [10..20, 20..30, 40..50, 50..50, 60..70] {
            runs.push(range);
        }
        assert!(runs.iter().eq([10..30, 40..50, 60..70]));
        assert!(runs.within(25..65).eq([25..30, 40..50, 60..65]));
        assert!(runs.within(30..40).next().is_none());
        assert!(runs.gaps(0..65).eq([0..10, 30..40, 50..60]));
        assert!(runs.gaps(12..80).eq([30..40, 50..60, 70..80]));
        assert!(runs.gaps(10..30).next().is_none());
    }

    #[test]
    fn both_ways_find_the_same_pages() {
        let space = Reservation::new().unwrap();
        let at = |page: u32| 0x10_0000 + page * PAGE_SIZE;
        let all = Span::new(at(0), 64 << 20).unwrap();
        space
            .map(all, HostProtection::READ_WRITE, Source::Anonymous)
            .unwrap();
        for page in [0, 1, 2, 7, 511, 512, 600, 8191, 8192, 16383] {
            space.write(at(page), &[1]).unwrap();
        }
        for page in (9000..10_000).step_by(2) {
            space.write(at(page), &[1]).unwrap();
        }
        // Only read, and given back.
        space.read(at(100), &mut [0]).unwrap();
        let gone = Span::new(at(600), u64::from(PAGE_SIZE)).unwrap();
        space.advise(gone, HostAdvice::DontNeed).unwrap();
        let whole = at(0)..at(16384);
        let mut slow = Runs::default();
        read(&space, whole.clone(), &mut slow).unwrap();
        let mut fast = Runs::default();
        match scan(&space, whole.clone(), &mut fast) {
            Ok(()) => {
                // The slow way takes the page of zeros for one of the process's own.
                let slow = slow.iter().filter(|run| *run != (at(100)..at(101)));
                assert!(fast.iter().eq(slow));
            }
            Err(errno) => assert_eq!(errno, Errno::ENOTTY),
        }
        assert_eq!(slow.within(at(0)..at(8000)).last(), Some(at(511)..at(513)));
        assert!(slow.within(at(9000)..at(10_000)).count() == 500);
    }
}
