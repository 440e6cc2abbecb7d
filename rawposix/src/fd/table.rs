//! A process's descriptor table.

use std::sync::Arc;

use rawposix_abi::Errno;

/// Whether execve(2) closes a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseOnExec {
    Yes,
    No,
}

impl CloseOnExec {
    /// From the presence of a flag such as `O_CLOEXEC`.
    pub(crate) fn from_flag(set: bool) -> Self {
        if set { Self::Yes } else { Self::No }
    }
}

#[derive(Debug)]
struct Slot<F> {
    file: Arc<F>,
    close_on_exec: CloseOnExec,
}

/// Descriptors of one process. It is generic over the description so that a test can put a number in its place.
#[derive(Debug)]
pub(crate) struct FdTable<F> {
    slots: Vec<Option<Slot<F>>>,
    /// No slot below is free.
    lowest: usize,
}

impl<F> Default for FdTable<F> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            lowest: 0,
        }
    }
}

impl<F> FdTable<F> {
    /// The description that `fd` refers to.
    pub(crate) fn get(&self, fd: i32) -> Result<&Arc<F>, Errno> {
        self.slot(fd).map(|slot| &slot.file)
    }

    /// Whether `fd` is closed by execve(2).
    pub(crate) fn close_on_exec(&self, fd: i32) -> Result<CloseOnExec, Errno> {
        self.slot(fd).map(|slot| slot.close_on_exec)
    }

    /// Sets whether `fd` is closed by execve(2).
    pub(crate) fn set_close_on_exec(&mut self, fd: i32, value: CloseOnExec) -> Result<(), Errno> {
        let slot = index(fd).and_then(|i| self.slots.get_mut(i)?.as_mut());
        slot.ok_or(Errno::EBADF)?.close_on_exec = value;
        Ok(())
    }

    /// Gives the description the lowest free number that is at least `from` and below `limit`.
    pub(crate) fn insert(
        &mut self,
        file: Arc<F>,
        close_on_exec: CloseOnExec,
        from: usize,
        limit: usize,
    ) -> Result<i32, Errno> {
        let mut place = from.max(self.lowest);
        while self.slots.get(place).is_some_and(Option::is_some) {
            place += 1;
        }
        if place >= limit {
            return Err(Errno::EMFILE);
        }
        let fd = i32::try_from(place).map_err(|_| Errno::EMFILE)?;
        self.put(place, file, close_on_exec)?;
        if from <= self.lowest {
            self.lowest = place + 1;
        }
        Ok(fd)
    }

    /// Whether there is a free number below `limit`.
    pub(crate) fn has_room(&self, limit: usize) -> bool {
        self.lowest < limit
            && (self.slots.len() < limit || self.slots.iter().take(limit).any(Option::is_none))
    }

    /// Makes `fd` refer to the description; gives the one it referred to before.
    pub(crate) fn replace(
        &mut self,
        fd: i32,
        file: Arc<F>,
        close_on_exec: CloseOnExec,
        limit: usize,
    ) -> Result<Option<Arc<F>>, Errno> {
        let place = index(fd)
            .filter(|place| *place < limit)
            .ok_or(Errno::EBADF)?;
        self.put(place, file, close_on_exec)
    }

    /// Frees a descriptor; gives the description it referred to.
    pub(crate) fn remove(&mut self, fd: i32) -> Result<Arc<F>, Errno> {
        let place = index(fd).ok_or(Errno::EBADF)?;
        let slot = self
            .slots
            .get_mut(place)
            .and_then(Option::take)
            .ok_or(Errno::EBADF)?;
        self.lowest = self.lowest.min(place);
        while self.slots.last().is_some_and(Option::is_none) {
            self.slots.pop();
        }
        Ok(slot.file)
    }

    /// A copy that refers to the same descriptions: what fork(2) makes.
    pub(crate) fn fork(&self) -> Self {
        let copy = |slot: &Slot<F>| Slot {
            file: Arc::clone(&slot.file),
            close_on_exec: slot.close_on_exec,
        };
        Self {
            slots: self
                .slots
                .iter()
                .map(|slot| slot.as_ref().map(copy))
                .collect(),
            lowest: self.lowest,
        }
    }

    /// Frees the descriptors that execve(2) closes; gives the descriptions they referred to.
    pub(crate) fn close_on_exec_ones(&mut self) -> Vec<Arc<F>> {
        let fds: Vec<_> = self
            .numbers()
            .filter(|fd| self.close_on_exec(*fd) == Ok(CloseOnExec::Yes))
            .collect();
        fds.into_iter()
            .filter_map(|fd| self.remove(fd).ok())
            .collect()
    }

    /// The descriptors in use, rising.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i32> {
        let used = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.is_some());
        used.filter_map(|(place, _)| i32::try_from(place).ok())
    }

    fn slot(&self, fd: i32) -> Result<&Slot<F>, Errno> {
        let slot = index(fd).and_then(|place| self.slots.get(place)?.as_ref());
        slot.ok_or(Errno::EBADF)
    }

    fn put(
        &mut self,
        place: usize,
        file: Arc<F>,
        close_on_exec: CloseOnExec,
    ) -> Result<Option<Arc<F>>, Errno> {
        if place >= self.slots.len() {
            let more = place + 1 - self.slots.len();
            self.slots.try_reserve(more).map_err(|_| Errno::ENOMEM)?;
            self.slots.resize_with(place + 1, || None);
        }
        let slot = self.slots.get_mut(place).ok_or(Errno::EBADF)?;
        Ok(slot
            .replace(Slot {
                file,
                close_on_exec,
            })
            .map(|old| old.file))
    }
}

fn index(fd: i32) -> Option<usize> {
    usize::try_from(fd).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 12;
    const LIMIT_FD: i32 = 12;

    fn number(place: usize) -> i32 {
        i32::try_from(place).unwrap()
    }

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u32, usize),
        Replace(i32, u32),
        Remove(i32),
        SetCloexec(i32, bool),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            (any::<u32>(), 0..LIMIT + 2).prop_map(|(v, from)| Op::Insert(v, from)),
            (any::<u32>(), Just(0)).prop_map(|(v, from)| Op::Insert(v, from)),
            (-2..14i32, any::<u32>()).prop_map(|(fd, v)| Op::Replace(fd, v)),
            (-2..14i32).prop_map(Op::Remove),
            (-2..14i32, any::<bool>()).prop_map(|(fd, v)| Op::SetCloexec(fd, v)),
        ]
    }

    proptest! {
        /// The table is a map from numbers to descriptions in which a new number is the lowest free one.
        #[test]
        fn behaves_like_a_map(ops in proptest::collection::vec(op(), 0..200)) {
            let mut table = FdTable::default();
            let mut model: BTreeMap<i32, (u32, CloseOnExec)> = BTreeMap::new();
            for op in ops {
                match op {
                    Op::Insert(value, from) => {
                        let free = (from..LIMIT).find(|n| !model.contains_key(&number(*n)));
                        let got = table.insert(Arc::new(value), CloseOnExec::No, from, LIMIT);
                        match free {
                            Some(n) => {
                                prop_assert_eq!(got, Ok(number(n)));
                                model.insert(number(n), (value, CloseOnExec::No));
                            }
                            None => prop_assert_eq!(got, Err(Errno::EMFILE)),
                        }
                    }
                    Op::Replace(fd, value) => {
                        let got = table.replace(fd, Arc::new(value), CloseOnExec::Yes, LIMIT);
                        if (0..LIMIT_FD).contains(&fd) {
                            let old = model.insert(fd, (value, CloseOnExec::Yes));
                            prop_assert_eq!(got.unwrap().map(|f| *f), old.map(|o| o.0));
                        } else {
                            prop_assert_eq!(got.unwrap_err(), Errno::EBADF);
                        }
                    }
                    Op::Remove(fd) => {
                        prop_assert_eq!(table.remove(fd).ok().map(|f| *f), model.remove(&fd).map(|o| o.0));
                    }
                    Op::SetCloexec(fd, value) => {
                        let value = CloseOnExec::from_flag(value);
                        let known = model.get_mut(&fd).map(|o| o.1 = value).is_some();
                        prop_assert_eq!(table.set_close_on_exec(fd, value).is_ok(), known);
                    }
                }
                prop_assert!(table.numbers().eq(model.keys().copied()));
                for (fd, (value, flag)) in &model {
                    prop_assert_eq!(**table.get(*fd).unwrap(), *value);
                    prop_assert_eq!(table.close_on_exec(*fd).unwrap(), *flag);
                }
            }
        }
    }
}
