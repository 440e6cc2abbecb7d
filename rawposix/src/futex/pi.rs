//! Futexes whose word names the owner: `FUTEX_LOCK_PI` and its kin, see futex(2).
//!
//! The lock is handed to the thread that has waited longest. All host threads of lind have one priority, so none is
//! inherited.

use std::collections::VecDeque;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_memory::GuestPtr;

use super::{Deadline, Futexes, Key, Queues, Waiter, Wish, Woken};
use crate::cage::Pid;
use crate::thread::Thread;

/// Bits of a lock's word.
pub(super) const TID_MASK: u32 = 0x3fff_ffff;
pub(super) const OWNER_DIED: u32 = 0x4000_0000;
pub(super) const WAITERS: u32 = 0x8000_0000;

/// Whether a lock that is held is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    None,
    Until(Deadline),
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    Taken,
    /// The thread with this id has it, and the word says that there are waiters.
    Held(u32),
}

/// Whether the word of a lock that is taken says that others wait, even if there are none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    AsNeeded,
    Waiters,
}

/// A lock, as the calling thread sees it.
#[derive(Clone, Copy)]
pub(super) struct Lock<'a> {
    pub(super) thread: &'a Thread,
    pub(super) address: u32,
    pub(super) key: Key,
}

impl Lock<'_> {
    fn word(&self) -> GuestPtr<u32> {
        GuestPtr::new(self.address)
    }

    /// The id in the word.
    pub(super) fn owner(&self) -> Result<u32, Errno> {
        Ok(self.thread.memory().load_u32(self.word())? & TID_MASK)
    }

    /// Takes the lock for the thread `tid`, if nobody has it. `EDEADLK` when that thread has it,
    /// or when its owner waits for that thread by way of other locks, `ESRCH` when its owner
    /// is no more, `EINVAL` when somebody waits at the word for something else.
    pub(super) fn attempt(
        &self,
        queues: &Queues,
        tid: u32,
        mark: Mark,
        patience: Patience,
    ) -> Result<Attempt, Errno> {
        let memory = self.thread.memory();
        let word = self.word();
        let first = queues.of.get(&self.key).and_then(|queue| queue.front());
        loop {
            let value = memory.load_u32(word)?;
            let owner = value & TID_MASK;
            if owner == tid {
                return Err(Errno::EDEADLK);
            }
            if first.is_some_and(|waiter| !waiter.wants_lock()) {
                return Err(Errno::EINVAL);
            }
            if owner == 0 {
                let is_marked = first.is_some() || mark == Mark::Waiters;
                let waiters = if is_marked { WAITERS } else { 0 };
                let taken = tid | value & OWNER_DIED | waiters;
                if memory.compare_exchange_u32(word, value, taken)?.is_ok() {
                    return Ok(Attempt::Taken);
                }
                continue;
            }
            if let Patience::None = patience {
                return Err(Errno::EAGAIN);
            }
            if !self
                .thread
                .world
                .family
                .has_thread(Pid(owner.cast_signed()))
            {
                // It may have given the lock back and ended since the word was read.
                if memory.load_u32(word)? != value {
                    continue;
                }
                return Err(Errno::ESRCH);
            }
            if memory
                .compare_exchange_u32(word, value, value | WAITERS)?
                .is_ok()
            {
                return if queues.makes_circle(tid, owner) {
                    Err(Errno::EDEADLK)
                } else {
                    Ok(Attempt::Held(owner))
                };
            }
        }
    }
}

impl Queues {
    /// Whether the owner of a lock waits for the thread `tid`, by way of other locks and their owners. Longer ways than
    /// the kernel's default of `kernel.max_lock_depth` are not followed.
    pub(super) fn makes_circle(&self, tid: u32, owner: u32) -> bool {
        const DEPTH: usize = 1024;
        std::iter::successors(Some(owner), |owner| self.owners.get(owner).copied())
            .take(DEPTH)
            .any(|owner| owner == tid)
    }
}

impl Futexes {
    /// `FUTEX_LOCK_PI`, `FUTEX_LOCK_PI2` and `FUTEX_TRYLOCK_PI`.
    pub(crate) fn lock_owned(
        &self,
        thread: &Thread,
        address: u32,
        key: Key,
        patience: Patience,
    ) -> Result<(), Errno> {
        let own = thread.tid().0.cast_unsigned();
        let lock = Lock {
            thread,
            address,
            key,
        };
        let waiter = {
            let mut queues = self.queues.lock();
            let owner = match lock.attempt(&queues, own, Mark::AsNeeded, patience)? {
                Attempt::Taken => return Ok(()),
                Attempt::Held(owner) => owner,
            };
            queues.owners.insert(own, owner);
            let waiter = Waiter::wishing(thread, key, u32::MAX, Wish::Lock);
            queues
                .of
                .entry(key)
                .or_default()
                .push_back(Arc::clone(&waiter));
            waiter
        };
        match patience {
            Patience::None => Err(Errno::EAGAIN),
            Patience::Until(deadline) => self.sleep(thread, &waiter, deadline),
        }
    }

    /// `FUTEX_UNLOCK_PI`.
    pub(crate) fn unlock_owned(
        &self,
        thread: &Thread,
        address: u32,
        key: Key,
    ) -> Result<(), Errno> {
        let value = thread.memory().load_u32(GuestPtr::new(address))?;
        if value & TID_MASK != thread.tid().0.cast_unsigned() {
            return Err(Errno::EPERM);
        }
        self.hand_over(thread, address, key, 0)
    }

    /// Gives the lock, which the thread holds, to the next that waits; `mark` stays in the word. `EINVAL` when who waits
    /// does not wait for the lock.
    pub(super) fn hand_over(
        &self,
        thread: &Thread,
        address: u32,
        key: Key,
        mark: u32,
    ) -> Result<(), Errno> {
        let word = GuestPtr::<u32>::new(address);
        let mut queues = self.queues.lock();
        let first = queues.of.get(&key).and_then(|queue| queue.front());
        if first.is_some_and(|waiter| !waiter.wants_lock()) {
            return Err(Errno::EINVAL);
        }
        let Queues { of, owners } = &mut *queues;
        let next = of.get_mut(&key).and_then(VecDeque::pop_front);
        let rest = of.get(&key).into_iter().flatten();
        let mut more = false;
        if let Some(next) = &next {
            owners.remove(&next.tid());
            for waiter in rest {
                owners.insert(waiter.tid(), next.tid());
                more = true;
            }
        }
        if !more {
            of.remove(&key);
        }
        let value = match &next {
            Some(waiter) => {
                let waiters = if more { WAITERS } else { 0 };
                waiter.tid() | waiters | mark
            }
            None => mark,
        };
        let stored = thread.memory().store_u32(word, value);
        let mut woken = Woken::default();
        if let Some(waiter) = next {
            // Even if the word is gone, the other must not wait for ever.
            woken.add(waiter);
        }
        drop(queues);
        stored
    }
}
