//! Wait queues of futexes, see futex(2) and futex(7).

mod many;
mod pi;
mod requeue_pi;
pub(crate) mod robust;

pub(crate) use pi::Patience;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_memory::SharedWord;
use rustix::time::{ClockId, Timespec};

use crate::cage::Task;
use crate::thread::Thread;

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

    /// The point in time, if there is one.
    pub(crate) fn instant(self) -> Option<Instant> {
        match self {
            Self::Never => None,
            Self::At(end) => Some(end),
        }
    }
}

/// Whether a futex may be shared with other address spaces: without `FUTEX_PRIVATE_FLAG`, its mapping decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    Private,
    Either,
}

/// Which futex is meant: a word of one address space, or of what several address spaces map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Private { space: usize, address: u32 },
    Shared(SharedWord),
}

impl Key {
    /// The futex at an address of the thread's.
    pub(crate) fn of(thread: &Thread, address: u32, sharing: Sharing) -> Self {
        let memory = thread.memory();
        let shared = match sharing {
            Sharing::Private => None,
            Sharing::Either => memory.shared_word(address),
        };
        match shared {
            Some(word) => Self::Shared(word),
            None => Self::Private {
                space: memory.base().as_ptr().addr(),
                address,
            },
        }
    }
}

/// What a waiter waits for. Only operations of its kind may find it in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// A wake-up.
    WakeUp,
    /// The lock whose word names the owner.
    Lock,
    /// To be moved to the lock of this key, and then for it.
    LockAt(Key),
}

/// A thread that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    bits: u32,
    wish: Wish,
    task: Arc<Task>,
    state: Mutex<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    woken: bool,
    /// The futex it waits on; another one after a requeue.
    key: Key,
}

impl Waiter {
    /// One that waits for a wake-up with one of `bits`.
    fn new(thread: &Thread, key: Key, bits: u32) -> Arc<Self> {
        Self::wishing(thread, key, bits, Wish::WakeUp)
    }

    fn wishing(thread: &Thread, key: Key, bits: u32, wish: Wish) -> Arc<Self> {
        Arc::new(Self {
            bits,
            wish,
            task: Arc::clone(&thread.task),
            state: Mutex::new(Waiting { woken: false, key }),
        })
    }

    /// The id of the thread.
    fn tid(&self) -> u32 {
        self.task.tid.0.cast_unsigned()
    }

    /// Whether it waits for the lock at the futex in whose queue it is.
    fn wants_lock(&self) -> bool {
        match self.wish {
            Wish::WakeUp => false,
            Wish::Lock => true,
            Wish::LockAt(lock) => self.state.lock().key == lock,
        }
    }

    /// Ends the wait; the waiter is in no queue any more. It looks when its task is unparked.
    fn set_woken(&self) {
        self.state.lock().woken = true;
    }
}

/// Waiters whose wait has ended. They run when this is dropped, which is to be when the queues are no longer locked:
/// the first thing that they may do is to lock them.
#[derive(Debug, Default)]
struct Woken(Vec<Arc<Waiter>>);

impl Woken {
    fn add(&mut self, waiter: Arc<Waiter>) {
        waiter.set_woken();
        self.0.push(waiter);
    }
}

impl Drop for Woken {
    fn drop(&mut self) {
        self.0.iter().for_each(|waiter| waiter.task.unpark());
    }
}

/// The futexes of a sandbox that threads wait on.
///
/// The value is compared while the queues are locked, so that no wake-up between comparison and waiting is lost.
#[derive(Debug, Default)]
pub(crate) struct Futexes {
    queues: Mutex<Queues>,
}

/// Who waits where.
#[derive(Debug, Default)]
struct Queues {
    of: HashMap<Key, VecDeque<Arc<Waiter>>>,
    /// Of threads that wait for a lock whose word names the owner, by their ids: that owner's id.
    owners: HashMap<u32, u32>,
}

impl Futexes {
    /// Waits until woken, if the futex is `unchanged`. `EAGAIN` when it is not, `ETIMEDOUT` at the deadline, `EINTR` when
    /// the thread is interrupted.
    pub(crate) fn wait(
        &self,
        thread: &Thread,
        key: Key,
        bits: u32,
        unchanged: impl FnOnce() -> Result<bool, Errno>,
        deadline: Deadline,
    ) -> Result<(), Errno> {
        let waiter = Waiter::new(thread, key, bits);
        {
            let mut queues = self.queues.lock();
            if !unchanged()? {
                return Err(Errno::EAGAIN);
            }
            queues
                .of
                .entry(key)
                .or_default()
                .push_back(Arc::clone(&waiter));
        }
        self.sleep(thread, &waiter, deadline)
    }

    /// Waits until a waiter, which is in a queue, is woken.
    fn sleep(
        &self,
        thread: &Thread,
        waiter: &Arc<Waiter>,
        deadline: Deadline,
    ) -> Result<(), Errno> {
        let woken = || Ok(waiter.state.lock().woken.then_some(()));
        match thread.wait_until(deadline.instant(), woken) {
            Ok(()) => Ok(()),
            Err(errno) => self.give_up(waiter, errno),
        }
    }

    /// Leaves the queue, unless a wake-up was faster.
    fn give_up(&self, waiter: &Arc<Waiter>, errno: Errno) -> Result<(), Errno> {
        let mut queues = self.queues.lock();
        let state = waiter.state.lock();
        if state.woken {
            return Ok(());
        }
        if let Some(queue) = queues.of.get_mut(&state.key) {
            queue.retain(|other| !Arc::ptr_eq(other, waiter));
            if queue.is_empty() {
                queues.of.remove(&state.key);
            }
        }
        if waiter.wish != Wish::WakeUp {
            queues.owners.remove(&waiter.tid());
        }
        Err(errno)
    }

    /// Wakes up to `count` waiters that have one of `bits`; gives their number. `EINVAL` at one that waits for a lock.
    pub(crate) fn wake(&self, key: Key, count: u32, bits: u32) -> Result<usize, Errno> {
        let mut woken = Woken::default();
        let mut queues = self.queues.lock();
        let number = Self::wake_locked(&mut queues, key, (count, bits), &mut woken);
        drop(queues);
        number
    }

    /// Takes up to `count` waiters that have one of `bits` out of their queue; gives their number. `EINVAL` at one that
    /// waits for a lock, which is left there.
    fn wake_locked(
        queues: &mut Queues,
        key: Key,
        (count, bits): (u32, u32),
        woken: &mut Woken,
    ) -> Result<usize, Errno> {
        let Some(queue) = queues.of.get_mut(&key) else {
            return Ok(0);
        };
        let limit = usize::try_from(count).unwrap_or(usize::MAX);
        let before = woken.0.len();
        let mut result = Ok(());
        queue.retain(|waiter| {
            if result.is_err() || woken.0.len() - before == limit {
                return true;
            }
            if waiter.wish != Wish::WakeUp {
                result = Err(Errno::EINVAL);
                return true;
            }
            if waiter.bits & bits == 0 {
                return true;
            }
            woken.add(Arc::clone(waiter));
            false
        });
        if queue.is_empty() {
            queues.of.remove(&key);
        }
        result.map(|()| woken.0.len() - before)
    }

    /// Wakes the waiters of one futex, and those of another if `also`, which runs while nobody can begin to wait, says
    /// so; gives how many of both.
    pub(crate) fn wake_two(
        &self,
        keys: [Key; 2],
        counts: [u32; 2],
        also: impl FnOnce() -> Result<bool, Errno>,
    ) -> Result<usize, Errno> {
        let [first, second] = keys;
        let [count, second_count] = counts;
        let mut woken = Woken::default();
        let mut queues = self.queues.lock();
        let also = also()?;
        let mut number = Self::wake_locked(&mut queues, first, (count, u32::MAX), &mut woken)?;
        if also {
            let counts = (second_count, u32::MAX);
            number += Self::wake_locked(&mut queues, second, counts, &mut woken)?;
        }
        drop(queues);
        Ok(number)
    }

    /// Wakes and moves waiters, the two `counts`, if the futex is `unchanged`; gives how many of each. `EINVAL` at one
    /// that waits for a lock.
    pub(crate) fn requeue(
        &self,
        from: Key,
        to: Key,
        counts: (u32, u32),
        unchanged: impl FnOnce() -> Result<bool, Errno>,
    ) -> Result<(usize, usize), Errno> {
        let mut running = Woken::default();
        let mut queues = self.queues.lock();
        if !unchanged()? {
            return Err(Errno::EAGAIN);
        }
        let woken = Self::wake_locked(&mut queues, from, (counts.0, u32::MAX), &mut running)?;
        let limit = usize::try_from(counts.1).unwrap_or(usize::MAX);
        let moved = Self::move_locked(&mut queues, [from, to], limit, |waiter| {
            if waiter.wish == Wish::WakeUp {
                Ok(())
            } else {
                Err(Errno::EINVAL)
            }
        })?;
        Ok((woken, moved))
    }

    /// Moves up to `limit` waiters from one queue to another, up to the first that `check` refuses.
    fn move_locked(
        queues: &mut Queues,
        [from, to]: [Key; 2],
        limit: usize,
        check: impl Fn(&Waiter) -> Result<(), Errno>,
    ) -> Result<usize, Errno> {
        let Some(mut queue) = queues.of.remove(&from) else {
            return Ok(0);
        };
        let wanted = queue.len().min(limit);
        let refused = queue
            .iter()
            .take(wanted)
            .enumerate()
            .find_map(|(place, waiter)| check(waiter).err().map(|errno| (place, errno)));
        let count = refused.map_or(wanted, |(place, _)| place);
        let rest = queue.split_off(count);
        for waiter in &queue {
            waiter.state.lock().key = to;
        }
        if count > 0 {
            queues.of.entry(to).or_default().append(&mut queue);
        }
        if !rest.is_empty() {
            queues.of.entry(from).or_default().extend(rest);
        }
        match refused {
            Some((_, errno)) => Err(errno),
            None => Ok(count),
        }
    }
}
