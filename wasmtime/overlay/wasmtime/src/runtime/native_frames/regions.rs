//! Words that may point to an instance.
//!
//! Between two calls a function has pointers to its instance in any register and
//! any word of its frame, and no map tells which. They are known by their value:
//! what lies in a region of the instance is such a pointer, and is replaced by
//! the pointer to the same place of the other instance.
//!
//! A pointer is never missed, so no code ever reaches the other instance. A
//! number can be taken for a pointer if it happens to lie in a region. Such a
//! number becomes another number of the guest: nothing is at stake but that
//! number. A guest that guesses addresses of the host, and forks for
//! each guess, can so learn where the host has its instance, not more.

use crate::Instance;
use crate::prelude::*;
use crate::runtime::vm::VMStoreContext;
use crate::store::StoreOpaque;
use core::ops::Range;

/// The regions of one instance.
pub(super) struct Regions(Vec<Range<usize>>);

/// A place in an instance: the region and the offset in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    region: usize,
    offset: usize,
}

impl Regions {
    pub(super) fn of(store: &StoreOpaque, instance: Instance) -> Result<Regions> {
        let guard = store.engine().tunables().memory_guard_size;
        let context = store.vm_store_context_ptr().as_ptr().addr();
        let mut all = instance.id.get(store).regions(usize::try_from(guard)?)?;
        all.push(context..context + size_of::<VMStoreContext>());
        Ok(Regions(all))
    }

    /// What `word` points to, if it is a pointer.
    pub(super) fn find(&self, word: usize) -> Option<Place> {
        let region = self.0.iter().position(|region| region.contains(&word))?;
        let offset = word - self.0.get(region)?.start;
        Some(Place { region, offset })
    }

    /// The pointer to a place, which was found in another instance of the module.
    pub(super) fn address(&self, place: Place) -> Result<usize> {
        let region = self.0.get(place.region);
        match region.filter(|region| place.offset < region.len()) {
            Some(region) => Ok(region.start + place.offset),
            None => bail!("the frames have a pointer that the instance has not"),
        }
    }
}
