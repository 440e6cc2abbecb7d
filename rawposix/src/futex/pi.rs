//! Futexes whose word names the owner: `FUTEX_LOCK_PI` and its kin, see futex(2).
//!
//! The lock is handed to the thread that has waited longest. All host threads of lind have one priority, so none is
//! inherited.

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_memory::GuestPtr;

use super::{Deadline, Futexes, Key, Waiter, Woken};
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
enum Attempt {
    Taken,
    Waits(Arc<Waiter>),
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
        match self.attempt(thread, address, key, patience)? {
            Attempt::Taken => Ok(()),
            Attempt::Waits(waiter) => {
                let deadline = match patience {
                    Patience::None => return Err(Errno::EAGAIN),
                    Patience::Until(deadline) => deadline,
                };
                self.sleep(thread, &waiter, deadline)
            }
        }
    }

    fn attempt(
        &self,
        thread: &Thread,
        address: u32,
        key: Key,
        patience: Patience,
    ) -> Result<Attempt, Errno> {
        let memory = thread.memory();
        let word = GuestPtr::<u32>::new(address);
        let own = thread.tid().0.cast_unsigned();
        let mut queues = self.queues.lock();
        loop {
            let value = memory.load_u32(word)?;
            let owner = value & TID_MASK;
            if owner == own {
                return Err(Errno::EDEADLK);
            }
            if owner == 0 {
                let waiters = if queues.contains_key(&key) {
                    WAITERS
                } else {
                    0
                };
                let taken = own | value & OWNER_DIED | waiters;
                if memory.compare_exchange_u32(word, value, taken)?.is_ok() {
                    return Ok(Attempt::Taken);
                }
                continue;
            }
            if let Patience::None = patience {
                return Err(Errno::EAGAIN);
            }
            if !thread.world.family.has_thread(Pid(owner.cast_signed())) {
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
                let waiter = Waiter::new(thread, key, u32::MAX);
                queues
                    .entry(key)
                    .or_default()
                    .push_back(Arc::clone(&waiter));
                return Ok(Attempt::Waits(waiter));
            }
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

    /// Gives the lock, which the thread holds, to the next that waits; `mark` stays in the word.
    pub(super) fn hand_over(
        &self,
        thread: &Thread,
        address: u32,
        key: Key,
        mark: u32,
    ) -> Result<(), Errno> {
        let word = GuestPtr::<u32>::new(address);
        let mut queues = self.queues.lock();
        let next = queues.get_mut(&key).and_then(|queue| queue.pop_front());
        let more = queues.get(&key).is_some_and(|queue| !queue.is_empty());
        if !more {
            queues.remove(&key);
        }
        let value = match &next {
            Some(waiter) => {
                let waiters = if more { WAITERS } else { 0 };
                waiter.task.tid.0.cast_unsigned() | waiters | mark
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
