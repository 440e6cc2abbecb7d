//! Wait queues of futexes, see futex(2) and futex(7).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rawposix_abi::Errno;
use rustix::time::{ClockId, Timespec};

/// When a wait ends by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    Never,
    At(Instant),
}

impl Deadline {
    /// After a duration. What is too far away to be a point in time never comes.
    pub(crate) fn after(limit: Timespec) -> Self {
        let limit = Duration::new(
            limit.tv_sec.cast_unsigned(),
            u32::try_from(limit.tv_nsec).unwrap_or(0),
        );
        Instant::now()
            .checked_add(limit)
            .map_or(Self::Never, Self::At)
    }

    /// At a point in time of a clock.
    pub(crate) fn at(limit: Timespec, clock: ClockId) -> Self {
        let now = rustix::time::clock_gettime(clock);
        let nanoseconds =
            |t: Timespec| i128::from(t.tv_sec) * 1_000_000_000 + i128::from(t.tv_nsec);
        let left = (nanoseconds(limit) - nanoseconds(now)).max(0);
        let left = Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX));
        Instant::now()
            .checked_add(left)
            .map_or(Self::Never, Self::At)
    }
}

/// A thread that waits.
#[derive(Debug)]
struct Waiter {
    bits: u32,
    wake: Condvar,
    state: Mutex<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    woken: bool,
    /// The futex it waits on; another one after a requeue.
    address: u32,
}

/// The private futexes of a process.
///
/// The value is compared while the queues are locked, so that no wake-up between comparison and waiting is lost.
#[derive(Debug, Default)]
pub(crate) struct Futexes {
    queues: Mutex<HashMap<u32, VecDeque<Arc<Waiter>>>>,
}

impl Futexes {
    /// Waits until woken, if the futex is `unchanged`. `EAGAIN` when it is not, `ETIMEDOUT` at the deadline.
    pub(crate) fn wait(
        &self,
        address: u32,
        bits: u32,
        unchanged: impl Fn() -> Result<bool, Errno>,
        deadline: Deadline,
    ) -> Result<(), Errno> {
        let waiter = Arc::new(Waiter {
            bits,
            wake: Condvar::new(),
            state: Mutex::new(Waiting {
                woken: false,
                address,
            }),
        });
        {
            let mut queues = self.queues.lock();
            if !unchanged()? {
                return Err(Errno::EAGAIN);
            }
            queues
                .entry(address)
                .or_default()
                .push_back(Arc::clone(&waiter));
        }
        let mut state = waiter.state.lock();
        while !state.woken {
            let timed_out = match deadline {
                Deadline::Never => {
                    waiter.wake.wait(&mut state);
                    false
                }
                Deadline::At(end) => waiter.wake.wait_until(&mut state, end).timed_out(),
            };
            if timed_out && !state.woken {
                drop(state);
                return self.give_up(&waiter);
            }
        }
        Ok(())
    }

    /// Leaves the queue, unless a wake-up was faster.
    fn give_up(&self, waiter: &Arc<Waiter>) -> Result<(), Errno> {
        let mut queues = self.queues.lock();
        let state = waiter.state.lock();
        if state.woken {
            return Ok(());
        }
        if let Some(queue) = queues.get_mut(&state.address) {
            queue.retain(|other| !Arc::ptr_eq(other, waiter));
            if queue.is_empty() {
                queues.remove(&state.address);
            }
        }
        Err(Errno::ETIMEDOUT)
    }

    /// Wakes up to `count` waiters that have one of `bits`; gives their number.
    pub(crate) fn wake(&self, address: u32, count: u32, bits: u32) -> usize {
        Self::wake_locked(&mut self.queues.lock(), address, count, bits)
    }

    fn wake_locked(
        queues: &mut HashMap<u32, VecDeque<Arc<Waiter>>>,
        address: u32,
        count: u32,
        bits: u32,
    ) -> usize {
        let Some(queue) = queues.get_mut(&address) else {
            return 0;
        };
        let limit = usize::try_from(count).unwrap_or(usize::MAX);
        let mut woken = 0;
        queue.retain(|waiter| {
            if woken == limit || waiter.bits & bits == 0 {
                return true;
            }
            woken += 1;
            waiter.state.lock().woken = true;
            waiter.wake.notify_one();
            false
        });
        if queue.is_empty() {
            queues.remove(&address);
        }
        woken
    }

    /// Wakes and moves waiters, the two `counts`, if the futex is `unchanged`; gives how many of each.
    pub(crate) fn requeue(
        &self,
        from: u32,
        to: u32,
        counts: (u32, u32),
        unchanged: impl Fn() -> Result<bool, Errno>,
    ) -> Result<(usize, usize), Errno> {
        let mut queues = self.queues.lock();
        if !unchanged()? {
            return Err(Errno::EAGAIN);
        }
        let woken = Self::wake_locked(&mut queues, from, counts.0, u32::MAX);
        let Some(mut queue) = queues.remove(&from) else {
            return Ok((woken, 0));
        };
        let count = queue
            .len()
            .min(usize::try_from(counts.1).unwrap_or(usize::MAX));
        let rest = queue.split_off(count);
        for waiter in &queue {
            waiter.state.lock().address = to;
        }
        queues.entry(to).or_default().append(&mut queue);
        if !rest.is_empty() {
            let left = queues.entry(from).or_default();
            left.extend(rest);
        }
        Ok((woken, count))
    }
}
