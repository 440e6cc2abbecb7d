//! A map from disjoint, half-open ranges of 32-bit addresses to values; equal neighbours merge.
//!
//! The kernel does not always merge what is merged here (pages faulted in separately belong to
//! different objects for it). Each merge leaves a *seam*: an address where the kernel may still
//! have a boundary. So the number of host mappings has an upper bound that no guest can fool.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A value that covers a range and can be cut and joined along it.
pub(crate) trait Piece: Clone {
    /// The value for the rest of the range after its first `by` bytes.
    fn advanced(&self, by: u32) -> Self;
    /// Whether `next` continues this value when it follows after `len` bytes.
    fn continues(&self, len: u32, next: &Self) -> bool;
}

/// The map. Ranges are never empty and never overlap.
#[derive(Clone, Debug)]
pub(crate) struct IntervalMap<V> {
    /// Start to (end, value).
    ranges: BTreeMap<u32, (u32, V)>,
    /// Merged boundaries, each strictly inside a range.
    seams: BTreeSet<u32>,
}

impl<V> Default for IntervalMap<V> {
    fn default() -> Self {
        Self {
            ranges: BTreeMap::new(),
            seams: BTreeSet::new(),
        }
    }
}

impl<V: Piece> IntervalMap<V> {
    /// The number of ranges.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The number of seams.
    pub(crate) fn seams(&self) -> usize {
        self.seams.len()
    }

    /// Forgets the seams that `is_boundary` denies.
    pub(crate) fn retain_seams(&mut self, is_boundary: impl Fn(u32) -> bool) {
        self.seams.retain(|&at| is_boundary(at));
    }

    /// All ranges in ascending order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (Range<u32>, &V)> {
        self.ranges
            .iter()
            .map(|(&start, (end, value))| (start..*end, value))
    }

    /// The ranges that overlap `range`, whole, in ascending order.
    pub(crate) fn overlapping(&self, range: Range<u32>) -> impl Iterator<Item = (Range<u32>, &V)> {
        let first = self
            .ranges
            .range(..=range.start)
            .next_back()
            .filter(|(_, (end, _))| *end > range.start)
            .map_or(range.start, |(&start, _)| start);
        self.ranges
            .range(first..range.end.max(first))
            .map(|(&start, (end, value))| (start..*end, value))
    }

    /// The parts of `range` that have a value, cut to `range`.
    pub(crate) fn within(&self, range: Range<u32>) -> Vec<(Range<u32>, V)> {
        self.overlapping(range.clone())
            .map(|(found, value)| {
                let start = found.start.max(range.start);
                let end = found.end.min(range.end);
                (start..end, value.advanced(start - found.start))
            })
            .collect()
    }

    /// The range and value at `addr`.
    pub(crate) fn at(&self, addr: u32) -> Option<(Range<u32>, &V)> {
        self.ranges
            .range(..=addr)
            .next_back()
            .filter(|(_, (end, _))| *end > addr)
            .map(|(&start, (end, value))| (start..*end, value))
    }

    /// Whether nothing overlaps `range`.
    pub(crate) fn is_free(&self, range: Range<u32>) -> bool {
        self.overlapping(range).next().is_none()
    }

    /// Whether `range` has a value everywhere.
    pub(crate) fn is_covered(&self, range: Range<u32>) -> bool {
        let mut next = range.start;
        for (found, _) in self.overlapping(range.clone()) {
            if found.start > next {
                return false;
            }
            next = found.end;
        }
        next >= range.end
    }

    /// Removes everything in `range`, cutting what reaches over its ends; gives what was there.
    pub(crate) fn remove(&mut self, range: Range<u32>) -> Vec<(Range<u32>, V)> {
        self.cut(range.start);
        self.cut(range.end);
        while let Some(&seam) = self.seams.range(range.clone()).next() {
            self.seams.remove(&seam);
        }
        let starts: Vec<u32> = self.ranges.range(range).map(|(&start, _)| start).collect();
        starts
            .into_iter()
            .filter_map(|start| {
                let (end, value) = self.ranges.remove(&start)?;
                Some((start..end, value))
            })
            .collect()
    }

    /// Gives `range` a value, replacing what was there, and merges with the neighbours.
    pub(crate) fn insert(&mut self, range: Range<u32>, value: V) {
        if range.is_empty() {
            return;
        }
        self.remove(range.clone());
        self.ranges.insert(range.start, (range.end, value));
        self.join(range.end);
        self.join(range.start);
    }

    /// Gives `range` a value like [`Self::insert`], but every boundary in it stays as a seam: the kernel may keep it.
    pub(crate) fn cover(&mut self, range: Range<u32>, value: V) {
        let starts = self.ranges.range(range.clone()).map(|(&start, _)| start);
        let ends = self.ranges.range(range.clone()).map(|(_, (end, _))| *end);
        let seams = self.seams.range(range.clone()).copied();
        let kept: Vec<u32> = starts.chain(ends).chain(seams).collect();
        self.insert(range.clone(), value);
        let inside = |at: &u32| *at > range.start && *at < range.end;
        self.seams.extend(kept.into_iter().filter(inside));
    }

    /// The highest free range of `len` bytes inside `bounds`.
    pub(crate) fn highest_gap(&self, len: u32, bounds: Range<u32>) -> Option<u32> {
        let mut top = bounds.end;
        for (&start, &(end, _)) in self.ranges.range(..bounds.end).rev() {
            let floor = end.max(bounds.start);
            if top.checked_sub(floor).is_some_and(|gap| gap >= len) {
                return Some(top - len);
            }
            top = top.min(start);
            if top <= bounds.start {
                return None;
            }
        }
        top.checked_sub(bounds.start)
            .filter(|&gap| gap >= len)
            .map(|_| top - len)
    }

    /// Makes `at` a boundary.
    fn cut(&mut self, at: u32) {
        let Some((&start, &mut (ref mut end, ref value))) = self.ranges.range_mut(..at).next_back()
        else {
            return;
        };
        if *end > at {
            let rest = (*end, value.advanced(at - start));
            *end = at;
            self.ranges.insert(at, rest);
            self.seams.remove(&at);
        }
    }

    /// Removes the boundary `at` if the values on its sides continue each other.
    fn join(&mut self, at: u32) {
        let Some((next_end, next)) = self.ranges.get(&at) else {
            return;
        };
        let Some((&start, (end, value))) = self.ranges.range(..at).next_back() else {
            return;
        };
        if *end != at || !value.continues(at - start, next) {
            return;
        }
        let next_end = *next_end;
        self.ranges.remove(&at);
        self.seams.insert(at);
        if let Some((end, _)) = self.ranges.get_mut(&start) {
            *end = next_end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value with an offset, as a file mapping has.
    #[derive(Clone, Debug, PartialEq)]
    struct Tile(char, u32);

    impl Piece for Tile {
        fn advanced(&self, by: u32) -> Self {
            Self(self.0, self.1 + by)
        }
        fn continues(&self, len: u32, next: &Self) -> bool {
            self.0 == next.0 && self.1 + len == next.1
        }
    }

    fn tiles(map: &IntervalMap<Tile>) -> Vec<(Range<u32>, char, u32)> {
        map.iter().map(|(r, t)| (r, t.0, t.1)).collect()
    }

    #[test]
    fn cuts_and_merges() {
        let mut map = IntervalMap::default();
        map.insert(10..20, Tile('a', 0));
        map.insert(20..30, Tile('a', 10));
        assert_eq!(tiles(&map), [(10..30, 'a', 0)]);
        map.insert(15..18, Tile('b', 0));
        assert_eq!(
            tiles(&map),
            [(10..15, 'a', 0), (15..18, 'b', 0), (18..30, 'a', 8)]
        );
        map.insert(15..18, Tile('a', 5));
        assert_eq!(tiles(&map), [(10..30, 'a', 0)]);
        map.remove(0..12);
        map.remove(14..15);
        assert_eq!(tiles(&map), [(12..14, 'a', 2), (15..30, 'a', 5)]);
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn seams_are_where_ranges_merged() {
        let mut map = IntervalMap::default();
        map.insert(0..10, Tile('a', 0));
        map.insert(10..20, Tile('a', 10));
        map.insert(20..30, Tile('a', 20));
        assert_eq!((map.len(), map.seams()), (1, 2));
        map.remove(15..20);
        assert_eq!((map.len(), map.seams()), (2, 1));
        map.insert(15..20, Tile('a', 15));
        assert_eq!((map.len(), map.seams()), (1, 3));
        map.retain_seams(|at| at == 15);
        assert_eq!(map.seams(), 1);
        map.remove(0..30);
        assert_eq!((map.len(), map.seams()), (0, 0));
    }

    #[test]
    fn covering_keeps_boundaries_as_seams() {
        let mut map = IntervalMap::default();
        map.insert(10..20, Tile('a', 0));
        map.insert(20..30, Tile('a', 10));
        map.insert(40..50, Tile('b', 0));
        map.cover(10..60, Tile('c', 0));
        assert_eq!(tiles(&map), [(10..60, 'c', 0)]);
        assert_eq!(map.seams(), 4);
        map.remove(25..60);
        assert_eq!((map.len(), map.seams()), (1, 1));
    }

    #[test]
    fn an_equal_value_at_another_offset_stays_apart() {
        let mut map = IntervalMap::default();
        map.insert(0..5, Tile('a', 0));
        map.insert(5..10, Tile('a', 0));
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn lookups_cut_to_the_question() {
        let mut map = IntervalMap::default();
        map.insert(10..20, Tile('a', 0));
        map.insert(30..40, Tile('b', 0));
        assert_eq!(
            map.within(15..35),
            [(15..20, Tile('a', 5)), (30..35, Tile('b', 0))]
        );
        assert!(map.within(20..30).is_empty());
        assert!(map.is_free(20..30) && !map.is_free(19..30) && !map.is_free(20..31));
        assert!(map.is_covered(10..20) && !map.is_covered(10..21) && !map.is_covered(9..11));
        assert!(map.at(20).is_none() && map.at(19).is_some() && map.at(10).is_some());
    }

    #[test]
    fn the_highest_gap_comes_first() {
        let mut map = IntervalMap::default();
        map.insert(40..50, Tile('a', 0));
        map.insert(70..90, Tile('b', 0));
        assert_eq!(map.highest_gap(10, 0..100), Some(90));
        assert_eq!(map.highest_gap(11, 0..100), Some(59));
        assert_eq!(map.highest_gap(21, 0..100), Some(19));
        assert_eq!(map.highest_gap(41, 0..100), None);
        assert_eq!(map.highest_gap(40, 0..100), Some(0));
        assert_eq!(map.highest_gap(10, 45..80), Some(60));
        assert_eq!(map.highest_gap(10, 75..85), None);
        assert_eq!(map.highest_gap(10, 0..30), Some(20));
    }
}
