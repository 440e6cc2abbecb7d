//! Waiting for the first of several futexes, see futex_waitv(2).

use std::sync::Arc;

use rawposix_abi::Errno;

use super::{Deadline, Futexes, Key, Waiter};
use crate::thread::Thread;

impl Futexes {
    /// Waits until one of the futexes is woken and gives its place, if all of them are `unchanged`. `EAGAIN` when one is
    /// not, `ETIMEDOUT` at the deadline, `EINTR` when the thread is interrupted.
    pub(crate) fn wait_many(
        &self,
        thread: &Thread,
        keys: &[Key],
        unchanged: impl Fn(usize) -> Result<bool, Errno>,
        deadline: Deadline,
    ) -> Result<usize, Errno> {
        let waiters: Vec<_> = keys
            .iter()
            .map(|key| Waiter::new(thread, *key, u32::MAX))
            .collect();
        {
            let mut queues = self.queues.lock();
            for place in 0..keys.len() {
                if !unchanged(place)? {
                    return Err(Errno::EAGAIN);
                }
            }
            for (key, waiter) in keys.iter().zip(&waiters) {
                queues
                    .of
                    .entry(*key)
                    .or_default()
                    .push_back(Arc::clone(waiter));
            }
        }
        let woken = || waiters.iter().position(|waiter| waiter.state.lock().woken);
        let result = thread.wait_until(deadline.instant(), || Ok(woken()));
        // A wake-up of another one that comes meanwhile is for this thread, too.
        for waiter in &waiters {
            let _ = self.give_up(waiter, Errno::EINTR);
        }
        result.or_else(|errno| woken().ok_or(errno))
    }
}
