//! The contexts of a process.

use super::ContextName;
use super::image::Image;
use crate::Module;
use crate::prelude::*;
use crate::runtime::native_frames::JumpBuffers;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// What contexts and parked places of a process may take in all.
const MAX_BYTES: usize = 128 << 20;
/// Nothing is looked for that could be forgotten before they take so much.
const CROWDED: usize = 1 << 20;

/// A context.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// None, or one that is just being saved.
    Empty,
    /// It begins with the start function, which gets this.
    Made(u32),
    Saved(Arc<Image>),
}

impl State {
    fn bytes(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Made(_) => size_of::<Entry>(),
            Self::Saved(image) => size_of::<Entry>() + size_of::<Image>() + image.size(),
        }
    }
}

#[derive(Clone, Debug)]
struct Entry {
    /// How often the entry has been used; part of the name.
    version: u32,
    home: u32,
    state: State,
}

/// The places of a fiber that does not run, with its latest frames.
#[derive(Clone, Debug)]
pub(super) struct Parked<D> {
    pub(super) places: JumpBuffers<D>,
    pub(super) image: Arc<Image>,
}

impl<D> Parked<D> {
    fn bytes(&self) -> usize {
        self.places.bytes() + self.image.size()
    }
}

#[derive(Clone, Debug)]
pub(super) struct Table<D> {
    module: Option<Module>,
    /// The address of the start function; 0 before a context is made.
    pub(super) start: usize,
    entries: Vec<Entry>,
    free: Vec<u32>,
    parked: BTreeMap<u64, Parked<D>>,
    ended: Vec<u64>,
    last_fiber: u64,
    bytes: usize,
    /// It is crowded with more bytes than this.
    enough: usize,
}

impl<D> Default for Table<D> {
    fn default() -> Self {
        Self {
            module: None,
            start: 0,
            entries: Vec::new(),
            free: Vec::new(),
            parked: BTreeMap::new(),
            ended: Vec::new(),
            last_fiber: 0,
            bytes: 0,
            enough: CROWDED,
        }
    }
}

impl ContextName {
    fn new(index: u32, version: u32) -> Self {
        Self((u64::from(version) << 32) | (u64::from(index) + 1))
    }

    /// The entry that the name is of, and its version.
    #[expect(clippy::cast_possible_truncation, reason = "both halves are wanted")]
    fn parts(self) -> Option<(usize, u32)> {
        let index = (self.0 as u32).checked_sub(1)?;
        Some((usize::try_from(index).ok()?, (self.0 >> 32) as u32))
    }
}

impl<D> Table<D> {
    /// Checks that the contexts are of `module`, which the first ones decide.
    pub(super) fn check(&mut self, module: &Module) -> Result<()> {
        let own = self.module.get_or_insert_with(|| module.clone());
        ensure!(
            Module::same(own, module),
            "the contexts are of another module"
        );
        Ok(())
    }

    pub(super) fn new_fiber(&mut self) -> u64 {
        self.last_fiber += 1;
        self.last_fiber
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.bytes > self.enough
    }

    pub(super) fn get(&self, name: ContextName) -> Option<&State> {
        let (index, version) = name.parts()?;
        let entry = self.entries.get(index)?;
        let exists = entry.version == version && !matches!(entry.state, State::Empty);
        exists.then_some(&entry.state)
    }

    /// The entry that `known` names, if it is of this home.
    fn entry(&mut self, known: ContextName, home: u32) -> Option<(usize, &mut Entry)> {
        let (index, version) = known.parts()?;
        let entry = self.entries.get_mut(index)?;
        let own =
            entry.version == version && entry.home == home && !matches!(entry.state, State::Empty);
        own.then_some((index, entry))
    }

    /// Takes out the frames that will be replaced, if nobody else has them.
    pub(super) fn take_unused(&mut self, known: ContextName, home: u32) -> Option<Image> {
        let (_, entry) = self.entry(known, home)?;
        let before = entry.state.bytes();
        let State::Saved(image) = &mut entry.state else {
            return None;
        };
        Arc::get_mut(image)?;
        // Not empty, which would make the name free.
        let state = core::mem::replace(&mut entry.state, State::Made(0));
        self.bytes = self.bytes - before + State::Made(0).bytes();
        match state {
            State::Saved(image) => Arc::into_inner(image),
            _ => None,
        }
    }

    /// Replaces what `known` names, if it is of this home, or makes a new context.
    pub(super) fn put(
        &mut self,
        known: ContextName,
        home: u32,
        state: State,
    ) -> Result<ContextName> {
        let index = match self.entry(known, home).map(|(index, _)| index) {
            Some(index) => {
                self.empty(index);
                index
            }
            None => match self.free.pop() {
                Some(index) => usize::try_from(index)?,
                None => {
                    self.entries.push(Entry {
                        version: 0,
                        home,
                        state: State::Empty,
                    });
                    self.entries.len() - 1
                }
            },
        };
        let number = u32::try_from(index)?;
        if self.bytes + state.bytes() > MAX_BYTES {
            self.free.push(number);
            bail!("too many contexts");
        }
        self.bytes += state.bytes();
        let Some(entry) = self.entries.get_mut(index) else {
            bail!("too many contexts");
        };
        entry.home = home;
        entry.version = entry.version.wrapping_add(1);
        entry.state = state;
        Ok(ContextName::new(number, entry.version))
    }

    /// Puts moved frames in the place of those that a context has.
    pub(super) fn replace(&mut self, name: ContextName, image: &Arc<Image>) {
        if self.get(name).is_none() {
            return;
        }
        if let Some((index, _)) = name.parts()
            && let Some(entry) = self.entries.get_mut(index)
        {
            let before = entry.state.bytes();
            entry.state = State::Saved(Arc::clone(image));
            self.bytes = self.bytes - before + entry.state.bytes();
        }
    }

    /// Keeps the places of a fiber that is being left.
    pub(super) fn park(&mut self, fiber: u64, parked: Parked<D>) {
        self.bytes += parked.bytes();
        if let Some(old) = self.parked.insert(fiber, parked) {
            self.bytes -= old.bytes();
        }
    }

    /// Is there room for another copy of frames of so many bytes?
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.bytes + bytes <= MAX_BYTES
    }

    pub(super) fn unpark(&mut self, fiber: u64) -> Option<JumpBuffers<D>> {
        let parked = self.parked.remove(&fiber)?;
        self.bytes -= parked.bytes();
        Some(parked.places)
    }

    /// The fiber that has place number `id`, if `is_it` says so.
    pub(super) fn find_place(
        &self,
        id: u32,
        is_it: impl Fn(&D) -> bool,
    ) -> Option<(u64, &Parked<D>)> {
        let found = |parked: &Parked<D>| {
            let mut places = parked.places.iter();
            places.any(|(number, data)| number == id && is_it(data))
        };
        let (fiber, parked) = self.parked.iter().find(|(_, parked)| found(parked))?;
        Some((*fiber, parked))
    }

    /// No context of the fiber goes on from now on.
    pub(super) fn end(&mut self, fiber: u64) {
        self.unpark(fiber);
        self.ended.push(fiber);
    }

    /// All contexts with their homes, and the places of the parked fibers.
    #[expect(clippy::type_complexity, reason = "two lists")]
    pub(super) fn kept(&self) -> (Vec<(ContextName, u32)>, Vec<(u64, Vec<(u32, D)>)>)
    where
        D: Clone,
    {
        let mut contexts = Vec::new();
        for (index, entry) in (0..).zip(&self.entries) {
            if !matches!(entry.state, State::Empty) {
                contexts.push((ContextName::new(index, entry.version), entry.home));
            }
        }
        let parked = self.parked.iter().map(|(fiber, parked)| {
            let places = parked.places.iter();
            let places = places.map(|(id, data)| (id, data.clone()));
            (*fiber, places.collect())
        });
        (contexts, parked.collect())
    }

    /// Forgets these contexts and parked fibers, and what is left of fibers that have
    /// ended.
    pub(super) fn forget(&mut self, contexts: &[ContextName], fibers: &[u64]) {
        for name in contexts {
            if self.get(*name).is_some()
                && let Some((index, _)) = name.parts()
            {
                self.free(index);
            }
        }
        for fiber in fibers {
            self.unpark(*fiber);
        }
        self.ended.sort_unstable();
        let ended = core::mem::take(&mut self.ended);
        for index in 0..self.entries.len() {
            let state = self.entries.get(index).map(|entry| &entry.state);
            if let Some(State::Saved(image)) = state
                && ended.binary_search(&image.fiber).is_ok()
            {
                self.free(index);
            }
        }
        self.enough = CROWDED.max(2 * self.bytes);
    }

    fn free(&mut self, index: usize) {
        self.empty(index);
        if let Ok(number) = u32::try_from(index) {
            self.free.push(number);
        }
    }

    fn empty(&mut self, index: usize) {
        if let Some(entry) = self.entries.get_mut(index) {
            self.bytes -= entry.state.bytes();
            entry.state = State::Empty;
        }
    }
}
