//! Waiting at a futex for a lock whose word names the owner: `FUTEX_WAIT_REQUEUE_PI` and `FUTEX_CMP_REQUEUE_PI`, see
//! futex(2). A condition variable is made of them: who signals it moves its waiters to the lock, and each returns with
//! the lock.

use std::sync::Arc;

use rawposix_abi::Errno;

use super::pi::{Attempt, Lock, Mark};
use super::{Deadline, Futexes, Key, Patience, Queues, Waiter, Wish, Woken};
use crate::thread::Thread;

impl Futexes {
    /// Waits, if the futex is `unchanged`, until moved to the lock `keys[1]`, and then for it.
    ///
    /// # Errors
    /// `EAGAIN` when the futex has changed, or when interrupted after the move, since there is no going back to the first
    /// futex. `EINTR` when interrupted before, `ETIMEDOUT` at the deadline, `EINVAL` when both futexes are the same.
    pub(crate) fn wait_for_lock(
        &self,
        thread: &Thread,
        keys: [Key; 2],
        unchanged: impl FnOnce() -> Result<bool, Errno>,
        deadline: Deadline,
    ) -> Result<(), Errno> {
        let [key, lock] = keys;
        let waiter = Waiter::wishing(thread, key, u32::MAX, Wish::LockAt(lock));
        {
            let mut queues = self.queues.lock();
            if !unchanged()? {
                return Err(Errno::EAGAIN);
            }
            if key == lock {
                return Err(Errno::EINVAL);
            }
            queues
                .of
                .entry(key)
                .or_default()
                .push_back(Arc::clone(&waiter));
        }
        match self.sleep(thread, &waiter, deadline) {
            Err(Errno::EINTR) if waiter.wants_lock() => Err(Errno::EAGAIN),
            result => result,
        }
    }

    /// Gives the lock at `address` to the first waiter of a futex, if it is free, and moves up to `count` others, or
    /// that many and one, to it; gives how many of all.
    ///
    /// # Errors
    /// `EAGAIN` when the futex has not the value it should, `EINVAL` at a waiter that does not wait for this lock,
    /// `EDEADLK` at one that owns it or is waited for by its owner, `ESRCH` when its owner is no more.
    pub(crate) fn requeue_to_lock(
        &self,
        thread: &Thread,
        keys: [Key; 2],
        address: u32,
        count: u32,
        unchanged: impl FnOnce() -> Result<bool, Errno>,
    ) -> Result<usize, Errno> {
        let [from, to] = keys;
        let lock = Lock {
            thread,
            address,
            key: to,
        };
        let mut running = Woken::default();
        let mut queues = self.queues.lock();
        if !unchanged()? {
            return Err(Errno::EAGAIN);
        }
        lock.owner()?;
        let Some(first) = queues.of.get(&from).and_then(|queue| queue.front()) else {
            return Ok(0);
        };
        if first.wish != Wish::LockAt(to) {
            return Err(Errno::EINVAL);
        }
        let mark = if count == 0 {
            Mark::AsNeeded
        } else {
            Mark::Waiters
        };
        let patience = Patience::Until(Deadline::Never);
        let tid = first.tid();
        let taken = lock.attempt(&queues, tid, mark, patience)? == Attempt::Taken;
        let mut limit = usize::try_from(count).unwrap_or(usize::MAX);
        if taken {
            let first = queues.of.get_mut(&from).and_then(|queue| queue.pop_front());
            first.into_iter().for_each(|first| running.add(first));
        } else {
            limit = limit.saturating_add(1);
        }
        let owner = lock.owner()?;
        let waiters = queues.of.get(&from).into_iter().flatten();
        let circles: Vec<_> = waiters
            .map(|waiter| waiter.tid())
            .filter(|tid| queues.makes_circle(*tid, owner))
            .collect();
        let moved = Self::move_locked(&mut queues, keys, limit, |waiter| {
            if waiter.wish != Wish::LockAt(to) {
                Err(Errno::EINVAL)
            } else if circles.contains(&waiter.tid()) {
                Err(Errno::EDEADLK)
            } else {
                Ok(())
            }
        });
        let Queues { of, owners } = &mut *queues;
        for waiter in of.get(&to).into_iter().flatten() {
            owners.insert(waiter.tid(), owner);
        }
        drop(queues);
        Ok(moved? + usize::from(taken))
    }
}
