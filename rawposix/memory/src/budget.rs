//! The host's limit on mappings (vm.max_map_count) as a budget of all address spaces and host threads together.
//!
//! The kernel counts the mappings of the whole host process, so one guest that splits its memory
//! into pieces could leave none for the others or for the host itself.

use std::fs;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::host::{Reservation, SIZE};
use crate::interval::IntervalMap;
use crate::layer::Layers;
use crate::region::Region;

/// Host mappings that one address space may have.
const PER_SPACE: usize = 16 * 1024;
/// What one operation may add: two cuts, and a new piece between them.
const STEP: usize = 4;
/// The kernel's list is not read more often than this by one address space.
const PATIENCE: Duration = Duration::from_millis(20);

/// The upper bounds of all address spaces and host threads, summed.
static TOTAL: AtomicUsize = AtomicUsize::new(0);

/// Host mappings that all address spaces and threads together may have: an eighth stays for the host.
fn ceiling() -> usize {
    static CEILING: OnceLock<usize> = OnceLock::new();
    *CEILING.get_or_init(|| {
        let limit = fs::read_to_string("/proc/sys/vm/max_map_count")
            .ok()
            .and_then(|text| text.trim().parse::<usize>().ok())
            .unwrap_or(65_530);
        limit - limit / 8
    })
}

/// One address space's share.
#[derive(Debug)]
pub(crate) struct Share {
    charged: usize,
    last_read: Option<Instant>,
}

impl Share {
    /// The share of an empty address space.
    pub(crate) fn new() -> Self {
        let mut share = Self {
            charged: 0,
            last_read: None,
        };
        share.set(1);
        share
    }

    /// Whether one more operation on `regions` may go ahead, taking stock if it looks full.
    pub(crate) fn has_room(
        &mut self,
        regions: &mut IntervalMap<Region>,
        layers: &mut Layers,
        reservation: &Reservation,
    ) -> bool {
        if self.fits(regions, layers) {
            return true;
        }
        let waited = self.last_read.is_none_or(|last| last.elapsed() >= PATIENCE);
        if regions.seams() + layers.seams() == 0 || !waited {
            return false;
        }
        if let Some(boundaries) = boundaries(reservation) {
            regions.retain_seams(|at| boundaries.binary_search(&at).is_ok());
            layers.retain_seams(|at| boundaries.binary_search(&at).is_ok());
        }
        self.last_read = Some(Instant::now());
        self.fits(regions, layers)
    }

    /// Charges for the mappings as they are now.
    pub(crate) fn settle(&mut self, regions: &IntervalMap<Region>, layers: &Layers) {
        self.set(bound(regions) + layers.bound());
    }

    fn fits(&mut self, regions: &IntervalMap<Region>, layers: &Layers) -> bool {
        self.settle(regions, layers);
        self.charged + STEP <= PER_SPACE
            && TOTAL.load(Ordering::Relaxed).saturating_add(STEP) <= ceiling()
    }

    fn set(&mut self, charge: usize) {
        if charge > self.charged {
            TOTAL.fetch_add(charge - self.charged, Ordering::Relaxed);
        } else {
            TOTAL.fetch_sub(self.charged - charge, Ordering::Relaxed);
        }
        self.charged = charge;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Host mappings of a host thread: its stack and two stacks for signal handlers, each with a guard.
const PER_THREAD: usize = 6;

/// A host thread's share of the mappings, for as long as this lives. Without room for a thread's mappings the host's own
/// libraries end the whole process.
#[derive(Debug)]
pub struct ThreadShare(());

impl ThreadShare {
    /// The share of one more thread; none when the address spaces and the other threads leave no room.
    pub fn new() -> Option<Self> {
        let before = TOTAL.fetch_add(PER_THREAD, Ordering::Relaxed);
        let share = Self(());
        (before + PER_THREAD + STEP <= ceiling()).then_some(share)
    }
}

impl Drop for ThreadShare {
    fn drop(&mut self) {
        TOTAL.fetch_sub(PER_THREAD, Ordering::Relaxed);
    }
}

/// At most this many host mappings hold `regions`: each region, a gap beside each, the seams.
fn bound(regions: &IntervalMap<Region>) -> usize {
    2 * regions.len() + 1 + regions.seams()
}

/// Where the kernel's mappings start within the reservation, ascending.
fn boundaries(reservation: &Reservation) -> Option<Vec<u32>> {
    let base = reservation.base().as_ptr().addr() as u64;
    let maps = fs::read("/proc/self/maps").ok()?;
    Some(
        maps.split(|&byte| byte == b'\n')
            .filter_map(|line| {
                let end = line.iter().position(|&byte| byte == b'-')?;
                let start = std::str::from_utf8(line.get(..end)?).ok()?;
                let start = u64::from_str_radix(start, 16).ok()?;
                let offset = start.checked_sub(base).filter(|&offset| offset < SIZE)?;
                u32::try_from(offset).ok()
            })
            .collect(),
    )
}
