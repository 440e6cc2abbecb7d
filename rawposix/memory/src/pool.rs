//! Reservations of processes that have ended, whose memory stays resident for the next one.
//!
//! Most of what a small fork costs is fresh memory: the reservation, a fault for each page, and giving all of it back.
//! So the child of a fork gets the reservation of a relative that has ended, one that comes from the same first address
//! space by forks, with the private memory that it had. It copies its parent's pages over those it finds, and gives
//! back every other one before anybody can see it: [`Idle::dirty`] lists them all, since nobody writes to an idle
//! reservation. Everything but private anonymous memory is unmapped when the reservation becomes idle.

use std::mem;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rawposix_abi::Errno;

use crate::host::{HostProtection, Reservation, Span};
use crate::layout::{Layout, bytes};
use crate::pages::{Runs, own_pages};
use crate::region::{Region, Sharing, host_protection};
use crate::{AddressSpace, TOP};

/// Idle reservations that are kept.
const RESERVATIONS: usize = 16;
/// Bytes that they may keep resident, each and together.
const RESIDENT_EACH: u64 = 4 << 20;
const RESIDENT: u64 = 32 << 20;
/// Mappings that an idle reservation may have.
const REGIONS: usize = 32;

/// What relatives have in common: all that were made from one address space by forks.
pub(crate) type Kin = Arc<()>;

/// A reservation of a process that has ended.
#[derive(Debug)]
pub(crate) struct Idle {
    kin: Weak<()>,
    pub(crate) reservation: Reservation,
    /// What is mapped: private anonymous memory that can be read and written.
    pub(crate) layout: Layout,
    /// The pages of it that hold something.
    pub(crate) dirty: Runs,
}

static POOL: Mutex<Vec<Idle>> = Mutex::new(Vec::new());

/// An idle reservation of a relative.
pub(crate) fn take(kin: &Kin) -> Option<Idle> {
    let mut pool = POOL.lock();
    let kin = Arc::downgrade(kin);
    let place = pool.iter().rposition(|idle| idle.kin.ptr_eq(&kin))?;
    Some(pool.remove(place))
}

/// Whether the memory of such a region may stay mapped and resident.
pub(crate) fn is_reusable(region: &Region) -> bool {
    region.sharing == Sharing::Private
        && region.file.is_none()
        && host_protection(region.protection) == HostProtection::READ_WRITE
}

impl AddressSpace {
    /// Gives the reservation to the pool, if it is worth it. `None` if not, or if that failed: it is to be dropped then.
    fn retire(&mut self) -> Option<Idle> {
        let mut layout = mem::replace(self.layout.get_mut(), Layout::new());
        let parts: Vec<_> = layout
            .regions()
            .iter()
            .map(|(r, v)| (r, v.clone()))
            .collect();
        if parts.len() > REGIONS {
            return None;
        }
        // Layers are let go of, so that the others can write to them.
        for (range, _) in layout.layers.within(0..TOP) {
            self.unmap_idle(&mut layout, range).ok()?;
        }
        let kept = parts.iter().filter(|(_, region)| is_reusable(region));
        let dirty = own_pages(self.reservation(), kept.map(|(range, _)| range.clone())).ok()?;
        if dirty.bytes() > RESIDENT_EACH {
            return None;
        }
        for (range, _) in parts.iter().filter(|(_, region)| !is_reusable(region)) {
            self.unmap_idle(&mut layout, range.clone()).ok()?;
        }
        Some(Idle {
            kin: Arc::downgrade(&self.kin),
            reservation: self.reservation.take(),
            layout,
            dirty,
        })
    }

    fn unmap_idle(&self, layout: &mut Layout, range: std::ops::Range<u32>) -> Result<(), Errno> {
        self.reservation()
            .unmap(Span::new(range.start, bytes(&range))?)?;
        drop(layout.clear(range));
        Ok(())
    }
}

impl Drop for AddressSpace {
    fn drop(&mut self) {
        // The last one of its kin leaves nothing behind.
        let is_last = Arc::strong_count(&self.kin) == 1;
        let retired = if is_last { None } else { self.retire() };
        let dead = |idle: &Idle| idle.kin.strong_count() == 0;
        let kin = Arc::downgrade(&self.kin);
        let mut gone = Vec::new();
        let mut pool = POOL.lock();
        gone.extend(pool.extract_if(.., |idle| is_last && idle.kin.ptr_eq(&kin) || dead(idle)));
        if let Some(idle) = retired {
            pool.push(idle);
            let mut resident: u64 = pool.iter().map(|idle| idle.dirty.bytes()).sum();
            while pool.len() > RESERVATIONS || resident > RESIDENT {
                let oldest = pool.remove(0);
                resident -= oldest.dirty.bytes();
                gone.push(oldest);
            }
        }
        drop(pool);
        // Unmapped when nobody waits for the lock.
        drop(gone);
    }
}
