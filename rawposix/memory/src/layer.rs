//! Copy-on-write of large private memory: frozen layers.
//!
//! Two address spaces of one host process cannot share anonymous memory so that either's stores stay its own. A private
//! mapping of a file can. So when a fork would have to copy much, the pages are written to a nameless file once, and
//! parent and child map that instead: a layer. What they write from then on are their own pages again, on top of it, and
//! only those are copied by later forks. When they have become many, they are written to the layer in place if no other
//! address space has it any more, else to a new one.
//!
//! What it costs: the first fork writes all of it, a few MiB at a time, so that memory does not grow; each page that is
//! written after a fork is copied once, as on Linux, but also by the only process that is left, until its next fork: then
//! the layer and the page are both there. Write protection by userfaultfd(2) would spare the first copy. Without
//! privileges it is for user mode only, though: system calls that write to a protected page fail with `EFAULT`, and
//! every one of them would need its pages touched before. Threads that share the address space make the fork copy, see
//! [`Writers`](crate::Writers).
//!
//! A layer never changes while two address spaces have it. Nobody sees it: the regions that the guest knows stay as
//! they are, and memory that is dropped or moved away is zero, not what the layer has.

use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rustix::fs::{FallocateFlags, fallocate};

use crate::held::HeldFile;
use crate::host::{self, HostAdvice, HostProtection, Source, Span};
use crate::interval::{IntervalMap, Piece};
use crate::layout::{Layout, bytes};
use crate::pages::Runs;
use crate::pointer::{GuestPtr, GuestSlice};
use crate::region::{ForkPolicy, Region, Sharing, host_protection};
use crate::{AddressSpace, TOP};

/// What a fork copies rather than freezes, in bytes: a page costs less to copy than to write to a layer and then to fault
/// in again when it is used.
pub(crate) const COPY_LIMIT: u64 = 3 << 19;
/// Layers that one fork makes at most, since each is a descriptor and some mappings of the host's.
const PIECES: usize = 16;
/// The least that is worth a layer of its own, as a part of the copy limit.
const LEAST: u64 = 6;
/// Pages between those to freeze that are frozen as well, at first; more if that makes too many pieces.
const GAPS: [u32; 4] = [64 << 10, 1 << 20, 16 << 20, u32::MAX];
/// Bytes that are written before they are mapped: their own pages are free then, and take the next ones.
const AT_ONCE: u32 = 2 << 20;
/// How many times the pages to freeze may be written for the sake of fewer pieces.
const EXCESS: u64 = 4;

/// A layer as one address space holds it.
#[derive(Debug)]
struct Holder {
    file: Arc<HeldFile>,
}

/// A part of a layer, where it is mapped.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    holder: Arc<Holder>,
    offset: u64,
}

impl Layer {
    fn new(file: Arc<HeldFile>, offset: u64) -> Self {
        let holder = Arc::new(Holder { file });
        Self { holder, offset }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.holder.file.fd()
    }

    /// What the host maps.
    pub(crate) fn source(&self) -> Source<'_> {
        Source::Private(self.fd(), self.offset)
    }

    /// Whether no other address space has the layer. Only a fork of this one can change that.
    fn is_sole(&self) -> bool {
        Arc::strong_count(&self.holder.file) == 1
    }

    /// Gives the storage of a part back that is not mapped any more, unless others have it.
    fn release(&self, len: u64) {
        if self.is_sole() {
            let _ = self.punch(len);
        }
    }

    /// Makes the first `len` bytes zero, without storage.
    fn punch(&self, len: u64) -> Result<(), Errno> {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(self.fd(), hole, self.offset, len).map_err(|_| Errno::ENOMEM)
    }
}

impl Piece for Layer {
    fn advanced(&self, by: u32) -> Self {
        Self {
            holder: Arc::clone(&self.holder),
            offset: self.offset.wrapping_add(u64::from(by)),
        }
    }

    fn continues(&self, len: u32, next: &Self) -> bool {
        Arc::ptr_eq(&self.holder, &next.holder)
            && self.offset.checked_add(u64::from(len)) == Some(next.offset)
    }
}

/// The layers of an address space.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    map: IntervalMap<Layer>,
}

impl Layers {
    /// At most this many host mappings more there are because of them.
    pub(crate) fn bound(&self) -> usize {
        2 * self.map.len() + self.map.seams()
    }

    /// The number of seams.
    pub(crate) fn seams(&self) -> usize {
        self.map.seams()
    }

    /// Forgets the seams that `is_boundary` denies.
    pub(crate) fn retain_seams(&mut self, is_boundary: impl Fn(u32) -> bool) {
        self.map.retain_seams(is_boundary);
    }

    /// The parts of `range` that are on a layer.
    pub(crate) fn within(&self, range: Range<u32>) -> Vec<(Range<u32>, Layer)> {
        self.map.within(range)
    }

    /// The first end of a layer inside `range`.
    pub(crate) fn boundary(&self, range: &Range<u32>) -> Option<u32> {
        self.map
            .overlapping(range.clone())
            .flat_map(|(found, _)| [found.start, found.end])
            .find(|at| *at > range.start && *at < range.end)
    }

    /// Records that `range` is on no layer any more.
    pub(crate) fn remove(&mut self, range: Range<u32>) {
        if self.map.len() != 0 {
            for (part, layer) in self.map.remove(range) {
                layer.release(bytes(&part));
            }
        }
    }

    /// Records that what was at `from` is at `to` now.
    pub(crate) fn shift(&mut self, from: Range<u32>, to: u32) {
        if self.map.len() != 0 {
            for (part, layer) in self.map.remove(from.clone()) {
                let start = to + (part.start - from.start);
                self.map
                    .insert(start..start + (part.end - part.start), layer);
            }
        }
    }

    /// Records that `range` is on `layer`.
    fn insert(&mut self, range: Range<u32>, layer: Layer) {
        self.map.insert(range, layer);
    }

    /// Records for a child what its parent has in `range`.
    pub(crate) fn inherit(&mut self, range: Range<u32>, layer: &Layer) {
        let known = self.map.iter().map(|(_, known)| known);
        let known = known
            .rev()
            .find(|known| Arc::ptr_eq(&known.holder.file, &layer.holder.file));
        let layer = match known {
            Some(known) => Layer {
                holder: Arc::clone(&known.holder),
                offset: layer.offset,
            },
            None => Layer::new(Arc::clone(&layer.holder.file), layer.offset),
        };
        self.map.insert(range, layer);
    }
}

/// Whether pages of the region may go to a layer: the child gets them, and they can be read.
fn is_freezable(region: &Region) -> bool {
    region.sharing == Sharing::Private
        && region.file.is_none()
        && region.fork == ForkPolicy::Inherit
        && host_protection(region.protection) != HostProtection::NONE
}

impl AddressSpace {
    /// Moves large parts of the process's `own` pages to layers; gives those that are its own still. What cannot be
    /// frozen stays as it is.
    pub(crate) fn freeze(&self, layout: &mut Layout, own: Runs) -> Runs {
        let freezable: Vec<_> = layout
            .regions()
            .iter()
            .filter(|(_, region)| is_freezable(region))
            .map(|(range, region)| (range, host_protection(region.protection)))
            .collect();
        let own = self.write_back(layout, &freezable, own);
        if own.bytes() <= layout.copy_limit {
            return own;
        }
        let mut frozen = Runs::default();
        for (piece, protection) in plan(&freezable, &own, layout.copy_limit) {
            let Ok(end) = self.freeze_piece(layout, &piece, protection, &own) else {
                break;
            };
            frozen.push(piece.start..end);
            if end < piece.end {
                break;
            }
        }
        own.without(&frozen)
    }

    /// Writes pages to the layers below them that nobody else has.
    fn write_back(
        &self,
        layout: &Layout,
        freezable: &[(Range<u32>, HostProtection)],
        own: Runs,
    ) -> Runs {
        let mut written = Runs::default();
        for (range, _) in freezable {
            for (part, layer) in layout.layers.within(range.clone()) {
                if !layer.is_sole() {
                    continue;
                }
                for run in own.within(part.clone()) {
                    let layer = layer.advanced(run.start - part.start);
                    // The pages hide what is written, until they are dropped.
                    let dropped = self
                        .write_layer(&layer, run.clone())
                        .and_then(|()| Span::new(run.start, bytes(&run)))
                        .and_then(|span| self.reservation().advise(span, HostAdvice::DontNeed));
                    if dropped.is_ok() {
                        written.push(run);
                    }
                }
            }
        }
        own.without(&written)
    }

    /// Copies guest memory to the layer's beginning.
    fn write_layer(&self, layer: &Layer, range: Range<u32>) -> Result<(), Errno> {
        let mut next = range.start;
        let mut offset = i64::try_from(layer.offset).map_err(|_| Errno::EOVERFLOW)?;
        while next < range.end {
            let len = (range.end - next).min(1 << 30);
            let part = GuestSlice::new(GuestPtr::new(next), len);
            let written = self.pwrite_fd(layer.fd(), part, offset)?;
            let written = u32::try_from(written).ok().filter(|&written| written != 0);
            let written = written.ok_or(Errno::ENOSPC)?;
            next = next.saturating_add(written);
            offset = offset.saturating_add(i64::from(written));
        }
        Ok(())
    }

    /// Puts `piece` on a new layer, as far as that goes; gives how far.
    fn freeze_piece(
        &self,
        layout: &mut Layout,
        piece: &Range<u32>,
        protection: HostProtection,
        own: &Runs,
    ) -> Result<u32, Errno> {
        let file = HeldFile::new(Arc::new(host::nameless_file(c"layer", u64::from(TOP))?))?;
        let layer = Layer::new(file, u64::from(piece.start));
        let mut next = piece.start;
        while next < piece.end {
            let part = next..piece.end.min(next.saturating_add(AT_ONCE));
            let layer = layer.advanced(part.start - piece.start);
            if self
                .freeze_part(layout, part.clone(), protection, (own, layer))
                .is_err()
            {
                break;
            }
            next = part.end;
        }
        Ok(next)
    }

    fn freeze_part(
        &self,
        layout: &mut Layout,
        part: Range<u32>,
        protection: HostProtection,
        (own, layer): (&Runs, Layer),
    ) -> Result<(), Errno> {
        layout.reserve_host_maps(self.reservation())?;
        let below = layout.layers.within(part.clone());
        let below = below.into_iter().map(|(range, _)| range);
        let mut content: Vec<_> = own.within(part.clone()).chain(below).collect();
        content.sort_unstable_by_key(|range| range.start);
        let mut joined = Runs::default();
        content.into_iter().for_each(|range| joined.push(range));
        for range in joined.iter() {
            self.write_layer(&layer.advanced(range.start - part.start), range)?;
        }
        let span = Span::new(part.start, bytes(&part))?;
        // What is mapped goes when the new mapping comes, so that one is tried elsewhere first.
        self.reservation().probe(span, protection, layer.source())?;
        let mapped = self.reservation().map(span, protection, layer.source());
        if mapped.is_err() {
            self.restore(layout, part, protection, &layer);
            return mapped;
        }
        layout.layers.remove(part.clone());
        layout.layers.insert(part, layer);
        layout.settle();
        Ok(())
    }

    /// Makes memory again of what could not be mapped.
    fn restore(
        &self,
        layout: &mut Layout,
        piece: Range<u32>,
        protection: HostProtection,
        layer: &Layer,
    ) {
        let restore = || {
            let span = Span::new(piece.start, bytes(&piece))?;
            let writable = HostProtection::READ_WRITE;
            self.reservation().map(span, writable, Source::Anonymous)?;
            let mut next = piece.start;
            while next < piece.end {
                let len = (piece.end - next).min(1 << 30);
                let part = GuestSlice::new(GuestPtr::new(next), len);
                let offset = layer.offset + u64::from(next - piece.start);
                let offset = i64::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
                let read = self.pread_fd(layer.fd(), part, offset)?;
                next += u32::try_from(read)
                    .ok()
                    .filter(|&n| n != 0)
                    .ok_or(Errno::EIO)?;
            }
            self.reservation().protect(span, protection)
        };
        let restored: Result<(), Errno> = restore();
        if restored.is_err()
            && let Ok(span) = Span::new(piece.start, bytes(&piece))
        {
            let _ = self.reservation().unmap(span);
        }
        layout.layers.remove(piece);
    }

    /// Makes what is on a layer in `range`, a part of one region, zero: to be done in place of dropping the pages, which
    /// would bring back the layer's content.
    pub(crate) fn forget_layers(
        &self,
        layout: &mut Layout,
        range: Range<u32>,
        protection: HostProtection,
    ) -> Result<(), Errno> {
        for (part, layer) in layout.layers.within(range) {
            if layer.is_sole() && layer.punch(bytes(&part)).is_ok() {
                continue;
            }
            layout.reserve_host_maps(self.reservation())?;
            self.blank(layout, part.clone(), protection)?;
            layout.layers.remove(part);
            layout.settle();
        }
        Ok(())
    }

    /// Puts anonymous memory into the place of a layer.
    pub(crate) fn blank(
        &self,
        layout: &mut Layout,
        part: Range<u32>,
        protection: HostProtection,
    ) -> Result<(), Errno> {
        let span = Span::new(part.start, bytes(&part))?;
        let mapped = self.reservation().map(span, protection, Source::Anonymous);
        if mapped.is_err() {
            self.reservation().unmap(span)?;
            // Private anonymous memory: dropping it closes no file of the guest's.
            drop(layout.clear(part));
        }
        mapped
    }
}

/// The ranges to freeze: inside one region each, few, with most of what is to be copied, and with little else.
fn plan(
    freezable: &[(Range<u32>, HostProtection)],
    own: &Runs,
    limit: u64,
) -> Vec<(Range<u32>, HostProtection)> {
    for gap in GAPS {
        let mut pieces: Vec<(Range<u32>, HostProtection, u64)> = Vec::new();
        for (range, protection) in freezable {
            let mut piece: Option<(Range<u32>, u64)> = None;
            for run in own.within(range.clone()) {
                match &mut piece {
                    Some((piece, own)) if run.start - piece.end <= gap => {
                        piece.end = run.end;
                        *own += bytes(&run);
                    }
                    piece => {
                        let done = piece.replace((run.clone(), bytes(&run)));
                        pieces.extend(done.map(|(range, own)| (range, *protection, own)));
                    }
                }
            }
            pieces.extend(piece.map(|(range, own)| (range, *protection, own)));
        }
        pieces.retain(|(range, _, own)| *own >= limit / LEAST && bytes(range) / EXCESS <= *own);
        let covered: u64 = pieces.iter().map(|(_, _, own)| own).sum();
        if pieces.len() <= PIECES && covered > 0 && own.bytes() - covered <= own.bytes() / 2 {
            let pieces = pieces.into_iter();
            return pieces
                .map(|(range, protection, _)| (range, protection))
                .collect();
        }
    }
    Vec::new()
}
