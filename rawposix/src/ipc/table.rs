//! Objects by id and by key, and who may use them.

use std::collections::BTreeMap;

use rawposix_abi::Errno;
use rawposix_abi::structs::IpcPerm;

use super::{CREATE, EXCLUSIVE, PRIVATE_KEY};
use crate::cage::Pid;
use crate::thread::Thread;

/// The places that ids name: an id is a place and how often places have been given out.
const PLACES: u32 = 1 << 15;
/// Places are reused only after so many others, so that an old id is not another object's.
const CYCLE: u32 = 64;
/// How often places can be given out before that starts anew.
const ROUNDS: u32 = 1 << 16;

/// Who makes a call.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) pid: Pid,
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Caller {
    /// The thread's process.
    pub(crate) fn of(thread: &Thread) -> Self {
        let credentials = thread.process.credentials();
        Self {
            pid: thread.process.pid,
            uid: credentials.user.effective,
            gid: credentials.group.effective,
            groups: credentials.groups,
        }
    }

    fn is_in(&self, group: u32) -> bool {
        group == self.gid || self.groups.contains(&group)
    }
}

/// Owner and mode of an object.
#[derive(Clone, Debug)]
pub(crate) struct Permission {
    pub(crate) key: i32,
    uid: u32,
    gid: u32,
    creator: u32,
    creator_group: u32,
    mode: u32,
    sequence: u32,
}

/// What `IPC_SET` changes of every object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mode: u32,
}

impl Settings {
    /// Those that a structure asks for.
    pub(crate) fn of(permission: &IpcPerm) -> Self {
        Self {
            uid: permission.uid,
            gid: permission.gid,
            mode: permission.mode,
        }
    }
}

impl Permission {
    /// That of something that `caller` makes.
    pub(crate) fn new(caller: &Caller, mode: u32) -> Self {
        Self {
            key: PRIVATE_KEY,
            uid: caller.uid,
            gid: caller.gid,
            creator: caller.uid,
            creator_group: caller.gid,
            mode: mode & 0o777,
            sequence: 0,
        }
    }

    /// Whether `caller` may do all of `wanted`, whichever class its bits are given for.
    pub(crate) fn allows(&self, caller: &Caller, wanted: u32) -> bool {
        let wanted = (wanted >> 6 | wanted >> 3 | wanted) & 0o7;
        let granted = if caller.uid == self.uid || caller.uid == self.creator {
            self.mode >> 6
        } else if caller.is_in(self.gid) || caller.is_in(self.creator_group) {
            self.mode >> 3
        } else {
            self.mode
        };
        wanted & !granted == 0
    }

    /// `EACCES` if not.
    pub(crate) fn check(&self, caller: &Caller, wanted: u32) -> Result<(), Errno> {
        if self.allows(caller, wanted) {
            Ok(())
        } else {
            Err(Errno::EACCES)
        }
    }

    /// `EPERM` for all but owner and creator.
    pub(crate) fn check_owner(&self, caller: &Caller) -> Result<(), Errno> {
        if caller.uid == self.uid || caller.uid == self.creator {
            Ok(())
        } else {
            Err(Errno::EPERM)
        }
    }

    /// Changes owner and mode. `EINVAL` for ids that nobody has.
    pub(crate) fn set(&mut self, settings: Settings) -> Result<(), Errno> {
        if settings.uid == u32::MAX || settings.gid == u32::MAX {
            return Err(Errno::EINVAL);
        }
        self.uid = settings.uid;
        self.gid = settings.gid;
        self.mode = self.mode & !0o777 | settings.mode & 0o777;
        Ok(())
    }

    /// As the guest sees it, with `more` bits of the mode.
    pub(crate) fn to_guest(&self, more: u32) -> IpcPerm {
        IpcPerm {
            key: self.key,
            uid: self.uid,
            gid: self.gid,
            cuid: self.creator,
            cgid: self.creator_group,
            mode: self.mode | more,
            seq: u16::try_from(self.sequence & 0xffff).unwrap_or(0),
            ..IpcPerm::default()
        }
    }
}

/// An object in its place.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) permission: Permission,
    pub(crate) value: T,
}

/// The objects of one kind.
#[derive(Debug)]
pub(crate) struct Table<T> {
    slots: BTreeMap<u32, Slot<T>>,
    capacity: usize,
    sequence: u32,
    last: Option<u32>,
}

fn id(place: u32, sequence: u32) -> i32 {
    (sequence * PLACES + place).cast_signed()
}

impl<T> Table<T> {
    /// A table for so many objects.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            slots: BTreeMap::new(),
            capacity,
            sequence: 0,
            last: None,
        }
    }

    /// The number of objects.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// All objects.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.values().map(|slot| &slot.value)
    }

    /// All objects.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.values_mut().map(|slot| &mut slot.value)
    }

    /// The greatest place in use, 0 if there is none.
    pub(crate) fn greatest(&self) -> i32 {
        let last = self.slots.last_key_value();
        last.map_or(0, |(place, _)| place.cast_signed())
    }

    /// The id of an object with this key: one there is, if `fits` says that it will do, or one that `make` makes.
    pub(crate) fn get(
        &mut self,
        (key, flags): (i32, u32),
        caller: &Caller,
        fits: impl FnOnce(&T) -> Result<(), Errno>,
        make: impl FnOnce(&Self) -> Result<T, Errno>,
    ) -> Result<i32, Errno> {
        let found = self
            .slots
            .iter()
            .find(|(_, slot)| key != PRIVATE_KEY && slot.permission.key == key);
        match found {
            Some(_) if flags & CREATE != 0 && flags & EXCLUSIVE != 0 => Err(Errno::EEXIST),
            Some((place, slot)) => {
                fits(&slot.value)?;
                slot.permission.check(caller, flags & 0o777)?;
                Ok(id(*place, slot.permission.sequence))
            }
            None if key != PRIVATE_KEY && flags & CREATE == 0 => Err(Errno::ENOENT),
            None => {
                let value = make(self)?;
                self.add(key, flags, caller, value)
            }
        }
    }

    fn add(&mut self, key: i32, flags: u32, caller: &Caller, value: T) -> Result<i32, Errno> {
        if self.slots.len() >= self.capacity {
            return Err(Errno::ENOSPC);
        }
        let used = u32::try_from(self.slots.len()).unwrap_or(PLACES);
        let end = (used + used / 2).clamp(CYCLE, PLACES);
        let from = self.last.map_or(0, |last| last + 1);
        let mut places = (from..end).chain(0..end).chain(0..PLACES);
        let place = places
            .find(|place| !self.slots.contains_key(place))
            .ok_or(Errno::ENOSPC)?;
        if self.last.is_some_and(|last| place <= last) {
            self.sequence = (self.sequence + 1) % ROUNDS;
        }
        self.last = Some(place);
        let permission = Permission {
            key,
            sequence: self.sequence,
            ..Permission::new(caller, flags)
        };
        self.slots.insert(place, Slot { permission, value });
        Ok(id(place, self.sequence))
    }

    /// The object with this id: `EINVAL` if there is none.
    pub(crate) fn find(&mut self, id: i32) -> Result<&mut Slot<T>, Errno> {
        let number = u32::try_from(id).map_err(|_| Errno::EINVAL)?;
        let slot = self.slots.get_mut(&(number % PLACES));
        slot.filter(|slot| slot.permission.sequence == number / PLACES)
            .ok_or(Errno::EINVAL)
    }

    /// The object with this id, if the caller may do this with it: else `EACCES`.
    pub(crate) fn allowed(
        &mut self,
        id: i32,
        caller: &Caller,
        wanted: u32,
    ) -> Result<&mut Slot<T>, Errno> {
        let slot = self.find(id)?;
        slot.permission.check(caller, wanted)?;
        Ok(slot)
    }

    /// The object with this id, if it is the caller's: else `EPERM`.
    pub(crate) fn owned(&mut self, id: i32, caller: &Caller) -> Result<&mut Slot<T>, Errno> {
        let slot = self.find(id)?;
        slot.permission.check_owner(caller)?;
        Ok(slot)
    }

    /// The object in a place, and its id: `EINVAL` if there is none.
    pub(crate) fn at(&self, place: i32) -> Result<(i32, &Slot<T>), Errno> {
        let place = u32::try_from(place).map_err(|_| Errno::EINVAL)?;
        let slot = self.slots.get(&place).ok_or(Errno::EINVAL)?;
        Ok((id(place, slot.permission.sequence), slot))
    }

    /// Removes an object of the caller's.
    pub(crate) fn remove(&mut self, id: i32, caller: &Caller) -> Result<T, Errno> {
        self.owned(id, caller)?;
        let place = id.cast_unsigned() % PLACES;
        let slot = self.slots.remove(&place).ok_or(Errno::EINVAL)?;
        Ok(slot.value)
    }

    /// Keeps only the objects that are wanted.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.slots.retain(|_, slot| keep(&slot.value));
    }
}
