//! The copy of an address space that fork(2) makes.

use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;

use crate::host::{HostAdvice, HostProtection, Reservation, Source, Span};
use crate::layer::Layers;
use crate::layout::{Layout, bytes};
use crate::pages::{Runs, own_pages};
use crate::pool::{self, Idle, Kin, is_reusable};
use crate::region::{ForkPolicy, Region, Sharing, host_protection};
use crate::{AddressSpace, PAGE_SIZE};

/// More single runs of pages than these are given back as one.
const SINGLE_RUNS: usize = 16;

/// Who may write to an address space while it is being copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Nobody but the caller.
    Caller,
    /// System calls of other threads, which go on although their guests are stopped. What they write must not be lost,
    /// so the process's own pages stay where they are, and all of them are copied.
    Others,
}

impl AddressSpace {
    /// A copy: private pages are copied (only those that exist), shared mappings are shared.
    /// MADV_DONTFORK mappings are absent, MADV_WIPEONFORK ones are zero, locks are not inherited.
    ///
    /// The caller has stopped the process's other threads, so that the copy is of one moment.
    ///
    /// # Errors
    /// ENOMEM when the host has no room for it.
    pub fn fork(&self, writers: Writers) -> Result<Arc<Self>, Errno> {
        let mut parent = self.layout().lock();
        let copied = parent
            .regions()
            .iter()
            .filter(|(_, region)| is_copied(region));
        let mut own = own_pages(self.reservation(), copied.map(|(range, _)| range))?;
        if writers == Writers::Caller && own.bytes() > parent.copy_limit {
            own = self.freeze(&mut parent, own);
        }
        let (mut child, stale) = self.child(&parent, &own)?;
        let layout = child.layout.get_mut();
        layout.limits = parent.limits;
        layout.heap = parent.heap.clone();
        layout.copy_limit = parent.copy_limit;
        let copy = Copy {
            from: self.reservation(),
            to: &child.reservation,
            own: &own,
            present: &stale,
            layers: &parent.layers,
        };
        let regions = parent.regions().iter();
        let copied = regions
            .filter(|(_, region)| region.fork != ForkPolicy::Skip)
            .try_for_each(|(range, region)| copy.region(layout, range, region));
        if let Err(error) = copied {
            // What is half made is nobody's relative, so nothing of it is used again.
            child.kin = Kin::default();
            return Err(error);
        }
        Ok(Arc::new(child))
    }

    /// A child without regions, and the pages that its reservation holds already: none of them is another than one of
    /// `own`, which are all overwritten.
    fn child(&self, parent: &Layout, own: &Runs) -> Result<(Self, Runs), Errno> {
        let (reservation, layout, present) = match pool::take(&self.kin) {
            // Whatever fails drops the reservation.
            Some(idle) => adapt(idle, parent, own)?,
            None => {
                let reservation = Reservation::new().map_err(|_| Errno::ENOMEM)?;
                (reservation, Layout::new(), Runs::default())
            }
        };
        let child = Self {
            reservation,
            layout: Mutex::new(layout),
            kin: Arc::clone(&self.kin),
        };
        Ok((child, present))
    }
}

/// Whether a fork copies the pages of the region.
fn is_copied(region: &Region) -> bool {
    region.sharing == Sharing::Private && region.fork == ForkPolicy::Inherit
}

/// Leaves of an idle reservation what a child of `parent` has as well.
fn adapt(idle: Idle, parent: &Layout, own: &Runs) -> Result<(Reservation, Layout, Runs), Errno> {
    let Idle {
        reservation,
        mut layout,
        dirty,
        ..
    } = idle;
    let mut wanted = Runs::default();
    for (range, region) in parent.regions().iter() {
        if is_copied(region) && is_reusable(region) {
            wanted.push(range);
        }
    }
    let mapped: Vec<_> = layout.regions().iter().map(|(range, _)| range).collect();
    for range in &mapped {
        for part in wanted.gaps(range.clone()) {
            reservation.unmap(Span::new(part.start, bytes(&part))?)?;
            layout.clear(part);
        }
    }
    let mut present = Runs::default();
    let mut foreign = Runs::default();
    for (range, _) in layout.regions().iter() {
        for run in dirty.within(range) {
            own.within(run.clone()).for_each(|part| present.push(part));
            own.gaps(run).for_each(|part| foreign.push(part));
        }
    }
    let drop_pages = |run: Range<u32>| {
        reservation.advise(Span::new(run.start, bytes(&run))?, HostAdvice::DontNeed)
    };
    if foreign.len() > SINGLE_RUNS {
        for (range, _) in layout.regions().iter() {
            drop_pages(range)?;
        }
        present = Runs::default();
    } else {
        foreign.iter().try_for_each(drop_pages)?;
    }
    Ok((reservation, layout, present))
}

/// The copying of pages from a parent to its child.
struct Copy<'a> {
    from: &'a Reservation,
    to: &'a Reservation,
    /// The parent's pages that are copied.
    own: &'a Runs,
    /// Those of them that the child has room for.
    present: &'a Runs,
    /// The parent's layers, which the child maps, too.
    layers: &'a Layers,
}

impl Copy<'_> {
    fn region(&self, layout: &mut Layout, range: Range<u32>, region: &Region) -> Result<(), Errno> {
        layout.reserve_host_maps(self.to)?;
        let mut copy = region.clone();
        copy.locked = false;
        let span = Span::new(range.start, bytes(&range))?;
        let protection = host_protection(region.protection);
        if !is_copied(region) {
            self.map(span, protection, region.source())?;
            layout.cover(range, copy);
            return Ok(());
        }
        // Written first, then given its protection.
        if is_reusable(region) {
            for part in self.missing(layout, range.clone()) {
                let part = Span::new(part.start, bytes(&part))?;
                self.map(part, HostProtection::READ_WRITE, Source::Anonymous)?;
            }
        } else {
            self.map(span, HostProtection::READ_WRITE, region.source())?;
        }
        layout.cover(range.clone(), copy);
        for (part, layer) in self.layers.within(range.clone()) {
            layout.reserve_host_maps(self.to)?;
            let span = Span::new(part.start, bytes(&part))?;
            self.map(span, HostProtection::READ_WRITE, layer.source())?;
            layout.layers.inherit(part, &layer);
            layout.settle();
        }
        let unreadable = protection == HostProtection::NONE;
        if unreadable {
            self.from.protect(span, HostProtection::READ)?;
        }
        let copied = self.own.within(range).try_for_each(|run| self.run(run));
        if unreadable {
            self.from.protect(span, HostProtection::NONE)?;
        }
        copied?;
        if protection != HostProtection::READ_WRITE {
            self.to.protect(span, protection)?;
        }
        Ok(())
    }

    /// Maps a part of the child; no hole is left if that fails.
    fn map(&self, span: Span, protection: HostProtection, source: Source<'_>) -> Result<(), Errno> {
        let mapped = self.to.map(span, protection, source);
        if mapped.is_err() {
            let _ = self.to.unmap(span);
        }
        mapped
    }

    fn run(&self, run: Range<u32>) -> Result<(), Errno> {
        for part in self.present.gaps(run.clone()) {
            if bytes(&part) > u64::from(PAGE_SIZE) {
                // One call is cheaper than a fault for each page.
                let span = Span::new(part.start, bytes(&part))?;
                let _ = self.to.advise(span, HostAdvice::PopulateWrite);
            }
        }
        self.from
            .copy_to(self.to, Span::new(run.start, bytes(&run))?)
    }

    /// The parts of `range` where nothing is mapped yet and no layer will be.
    fn missing(&self, layout: &Layout, range: Range<u32>) -> Vec<Range<u32>> {
        let mapped = layout.regions().overlapping(range.clone());
        let layers = self.layers.within(range.clone()).into_iter();
        let mut there: Vec<_> = mapped
            .map(|(part, _)| part)
            .chain(layers.map(|(part, _)| part))
            .collect();
        there.sort_unstable_by_key(|part| part.start);
        let mut mapped = Runs::default();
        there.into_iter().for_each(|part| mapped.push(part));
        mapped.gaps(range).collect()
    }
}
