//! mremap(2).

use std::ops::Range;

use rawposix_abi::Errno;

use crate::host::Span;
use crate::interval::Piece;
use crate::layout::{Layout, bytes, is_page, page_up};
use crate::region::{Region, RegionKind, Sharing, host_protection};
use crate::space::{Removed, fixed_range};
use crate::{AddressSpace, PAGE_SIZE};

pub use rawposix_abi::flags::MremapFlags as RemapFlags;

/// The arguments of mremap(2).
#[derive(Clone, Copy, Debug)]
pub struct RemapRequest {
    /// The mapping's address.
    pub addr: u32,
    /// Its length now, in bytes; 0 duplicates a shared mapping.
    pub old_len: u32,
    /// The length wanted, in bytes.
    pub new_len: u32,
    /// Flags.
    pub flags: RemapFlags,
    /// The address wanted, with FIXED; a hint with DONTUNMAP.
    pub new_addr: u32,
}

impl AddressSpace {
    /// mremap(2); gives the mapping's address.
    ///
    /// # Errors
    /// Those of the manual page. EFAULT also for a range of several mappings, as on Linux before
    /// 6.17.
    pub fn mremap(&self, request: RemapRequest) -> Result<u32, Errno> {
        let plan = Plan::new(request)?;
        let mut layout = self.layout().lock();
        let (addr, removed) = self.remap(&mut layout, &plan)?;
        drop(layout);
        drop(removed);
        Ok(addr)
    }

    /// remap_file_pages(2): shows another part of the file, from page `page` of it on, in a part of a shared mapping.
    ///
    /// # Errors
    /// EINVAL for a range that is not mapped, as one file shared; what mapping it gives.
    pub fn remap_file_pages(&self, addr: u32, size: u32, page: u32) -> Result<(), Errno> {
        let start = addr - addr % PAGE_SIZE;
        let size = size - size % PAGE_SIZE;
        let pages = size / PAGE_SIZE;
        let end = start.checked_add(size).filter(|end| *end > start);
        let end = end.ok_or(Errno::EINVAL)?;
        page.checked_add(pages).ok_or(Errno::EINVAL)?;
        let mut layout = self.layout().lock();
        let (_, first) = layout.regions().at(start).ok_or(Errno::EINVAL)?;
        let mut region = first.clone();
        let file = region.file.as_mut().ok_or(Errno::EINVAL)?;
        let mut next = start;
        for (part, other) in layout.regions().overlapping(start..end) {
            let same = other.sharing == Sharing::Shared
                && other.protection == first.protection
                && other
                    .file
                    .as_ref()
                    .is_some_and(|other| other.held.is_same(&file.held));
            if part.start > next || !same {
                return Err(Errno::EINVAL);
            }
            next = part.end;
        }
        if next < end {
            return Err(Errno::EINVAL);
        }
        file.offset = u64::from(page) * u64::from(PAGE_SIZE);
        layout.reserve_host_maps(self.reservation())?;
        let removed = self.map_region(&mut layout, start..end, region)?;
        drop(layout);
        drop(removed);
        Ok(())
    }

    fn remap(&self, layout: &mut Layout, plan: &Plan) -> Result<(u32, Removed), Errno> {
        let flags = plan.flags;
        let moving = flags.intersects(RemapFlags::FIXED | RemapFlags::DONTUNMAP);
        if !moving && plan.new_len <= plan.old_len {
            return self.shrink(layout, plan);
        }
        let (mut removed, region) = self.source(layout, plan)?;
        let grown = plan.new_len.saturating_sub(plan.old_len);
        region.checked_offset(plan.new_len)?;
        let growth = if flags.contains(RemapFlags::DONTUNMAP) {
            plan.new_len
        } else {
            grown
        };
        let freed = match &plan.target {
            Some(target) => layout.mapped_bytes(target.clone()),
            None => 0,
        };
        layout.allow(u64::from(growth).saturating_sub(freed), &region)?;
        layout.reserve_host_maps(self.reservation())?;
        if !moving
            && plan.old_len != 0
            && let Some(tail) = free_tail(layout, plan, grown)
        {
            self.map_region(layout, tail, region.advanced(plan.old_len))?;
            return Ok((plan.addr, removed));
        }
        if !flags.contains(RemapFlags::MAYMOVE) {
            return Err(Errno::ENOMEM);
        }
        let to = match &plan.target {
            Some(target) => target.clone(),
            None => layout.find_free(plan.hint, plan.new_len)?,
        };
        removed.extend(self.relocate(layout, plan, &region, to.clone())?);
        Ok((to.start, removed))
    }

    /// The mapping to change. With a fixed target, shrinks it first, as Linux does.
    fn source(&self, layout: &mut Layout, plan: &Plan) -> Result<(Removed, Region), Errno> {
        let (found, region) = layout.regions().at(plan.addr).ok_or(Errno::EFAULT)?;
        let region = region.advanced(plan.addr - found.start);
        if plan.old_len == 0 && region.sharing == Sharing::Private {
            return Err(Errno::EINVAL);
        }
        let kept = plan.old_len.min(plan.new_len);
        let end = plan.addr.checked_add(plan.old_len).ok_or(Errno::EINVAL)?;
        // What is cut off may have holes.
        let excess = plan.addr.saturating_add(kept)..end;
        if excess.start > found.end {
            return Err(Errno::EFAULT);
        }
        if excess.is_empty() {
            return Ok((Vec::new(), region));
        }
        layout.reserve_host_maps(self.reservation())?;
        self.reservation().unmap(span(&excess)?)?;
        Ok((layout.clear(excess), region))
    }

    fn shrink(&self, layout: &mut Layout, plan: &Plan) -> Result<(u32, Removed), Errno> {
        let end = plan.addr.checked_add(plan.old_len).ok_or(Errno::EINVAL)?;
        let gone = plan.addr.saturating_add(plan.new_len)..end;
        if layout.regions().at(plan.addr).is_none() {
            return Err(Errno::EFAULT);
        }
        if gone.is_empty() {
            return Ok((plan.addr, Vec::new()));
        }
        layout.reserve_host_maps(self.reservation())?;
        self.reservation().unmap(span(&gone)?)?;
        Ok((plan.addr, layout.clear(gone)))
    }

    /// Makes the mapping appear at `to`, and go away where it was.
    fn relocate(
        &self,
        layout: &mut Layout,
        plan: &Plan,
        region: &Region,
        to: Range<u32>,
    ) -> Result<Removed, Errno> {
        let moved = plan.old_len.min(plan.new_len);
        let from = plan.addr..plan.addr.saturating_add(moved);
        // What may fail comes first: the whole target as a fresh mapping. Then its first part is
        // replaced by the pages themselves.
        let mut fresh = region.clone();
        fresh.kind = RegionKind::Mapping;
        let mut removed = self.map_region(layout, to.clone(), fresh)?;
        if from.is_empty() {
            return Ok(removed);
        }
        // The pages of a shared mapping are the file's, and there already.
        if region.sharing == Sharing::Private
            && let Err(error) = self.move_all(layout, from.clone(), to.start)
        {
            self.reservation().unmap(span(&to)?)?;
            layout.clear(to);
            return Err(error);
        }
        let below = layout.layers.within(from.clone());
        layout.layers.shift(from.clone(), to.start);
        layout.settle();
        if plan.flags.contains(RemapFlags::DONTUNMAP) {
            let protection = host_protection(region.protection);
            for (part, _) in below {
                self.blank(layout, part, protection)?;
            }
        } else {
            self.reservation().unmap(span(&from)?)?;
            removed.extend(layout.clear(from));
        }
        Ok(removed)
    }

    /// Moves the pages of `from`, which may be several mappings for the kernel.
    fn move_all(&self, layout: &mut Layout, from: Range<u32>, to: u32) -> Result<(), Errno> {
        match self.reservation().move_pages(span(&from)?, to) {
            Err(Errno::EFAULT) if bytes(&from) > u64::from(PAGE_SIZE) => {
                layout.reserve_host_maps(self.reservation())?;
                let half = page_up((from.end - from.start) / 2).ok_or(Errno::ENOMEM)?;
                let middle = layout.layers.boundary(&from).unwrap_or(from.start + half);
                let half = middle - from.start;
                self.move_all(layout, from.start..middle, to)?;
                let second = self.move_all(layout, middle..from.end, to + half);
                if second.is_err() {
                    // Back again: a failed mremap changes nothing.
                    let _ = self.move_all(layout, to..to + half, from.start);
                }
                second
            }
            result => result,
        }
    }
}

/// The free range behind the mapping that growing in place needs.
fn free_tail(layout: &Layout, plan: &Plan, grown: u32) -> Option<Range<u32>> {
    let old_end = plan.addr.checked_add(plan.old_len)?;
    let (found, _) = layout.regions().at(plan.addr)?;
    let tail = fixed_range(old_end, grown).ok()?;
    (found.end == old_end && layout.regions().is_free(tail.clone())).then_some(tail)
}

fn span(range: &Range<u32>) -> Result<Span, Errno> {
    Span::new(range.start, bytes(range))
}

/// Checked arguments, lengths in whole pages.
#[derive(Debug)]
struct Plan {
    addr: u32,
    old_len: u32,
    new_len: u32,
    flags: RemapFlags,
    /// With FIXED, where to.
    target: Option<Range<u32>>,
    hint: u32,
}

impl Plan {
    fn new(request: RemapRequest) -> Result<Self, Errno> {
        let flags = request.flags;
        if !RemapFlags::all().contains(flags) || !is_page(request.addr) {
            return Err(Errno::EINVAL);
        }
        let moving = flags.intersects(RemapFlags::FIXED | RemapFlags::DONTUNMAP);
        if moving && !flags.contains(RemapFlags::MAYMOVE) {
            return Err(Errno::EINVAL);
        }
        if flags.contains(RemapFlags::DONTUNMAP) && request.old_len != request.new_len {
            return Err(Errno::EINVAL);
        }
        let old_len = page_up(request.old_len).ok_or(Errno::EINVAL)?;
        let new_len = page_up(request.new_len)
            .filter(|&len| len != 0)
            .ok_or(Errno::EINVAL)?;
        let old_end = request.addr.checked_add(old_len).ok_or(Errno::EINVAL)?;
        let mut plan = Self {
            addr: request.addr,
            old_len,
            new_len,
            flags,
            target: None,
            hint: 0,
        };
        if moving && !is_page(request.new_addr) {
            return Err(Errno::EINVAL);
        }
        if flags.contains(RemapFlags::FIXED) {
            let target = match fixed_range(request.new_addr, new_len) {
                Err(Errno::ENOMEM) => return Err(Errno::EINVAL),
                target => target?,
            };
            if target.start < old_end && request.addr < target.end {
                return Err(Errno::EINVAL);
            }
            plan.target = Some(target);
        } else if moving {
            plan.hint = request.new_addr;
        }
        Ok(plan)
    }
}
