//! brk(2).

use crate::host::{Source, Span};
use crate::layout::{Layout, bytes, page_up};
use crate::region::{Protection, Region, RegionKind, host_protection};
use crate::space::Removed;
use crate::{AddressSpace, TOP};

impl AddressSpace {
    /// Moves the break to `addr` and gives the break: `addr`, or the old one when that is not
    /// possible (an address below the start, a mapping in the way, a limit).
    pub fn brk(&self, addr: u32) -> u32 {
        let mut layout = self.layout().lock();
        let mut gone = None;
        if addr >= layout.heap.start && addr <= TOP {
            gone = self.move_break(&mut layout, addr);
            if gone.is_some() {
                layout.heap.end = addr;
            }
        }
        let brk = layout.heap.end;
        drop(layout);
        drop(gone);
        brk
    }

    /// Maps or unmaps what lies between; gives what was unmapped.
    fn move_break(&self, layout: &mut Layout, addr: u32) -> Option<Removed> {
        let old = page_up(layout.heap.end)?;
        let new = page_up(addr)?;
        if new < old {
            layout.reserve_host_maps(self.reservation()).ok()?;
            let gone = new..old;
            self.reservation()
                .unmap(Span::new(gone.start, bytes(&gone)).ok()?)
                .ok()?;
            return Some(layout.clear(gone));
        }
        if new > old {
            let fresh = old..new;
            let mut region =
                Region::private(Protection::READ | Protection::WRITE, RegionKind::Heap);
            region.locked = layout.lock_future;
            if !layout.regions().is_free(fresh.clone()) {
                return None;
            }
            layout.allow(bytes(&fresh), &region).ok()?;
            layout.reserve_host_maps(self.reservation()).ok()?;
            self.reservation()
                .map(
                    Span::new(fresh.start, bytes(&fresh)).ok()?,
                    host_protection(region.protection),
                    Source::Anonymous,
                )
                .ok()?;
            layout.place(fresh, region);
        }
        Some(Vec::new())
    }
}
