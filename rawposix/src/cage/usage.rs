//! What processes and threads have used: processor time, and what they have moved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rawposix_abi::Errno;

/// What a process or a thread has used. lind does not tell processor time in user code from that in the system: all of
/// it counts as the user's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) user: Duration,
    pub(crate) moved: Moved,
}

impl Used {
    /// The sum.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            user: self.user.saturating_add(other.user),
            moved: self.moved.with(other.moved),
        }
    }
}

/// What calls like read(2) and write(2) have moved: `/proc/PID/io` of proc(5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Bytes.
    pub(crate) read: u64,
    pub(crate) written: u64,
    /// Calls.
    pub(crate) reads: u64,
    pub(crate) writes: u64,
}

impl Moved {
    /// The sum.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            read: self.read.wrapping_add(other.read),
            written: self.written.wrapping_add(other.written),
            reads: self.reads.wrapping_add(other.reads),
            writes: self.writes.wrapping_add(other.writes),
        }
    }
}

/// The counters of a thread. It alone counts, so no addition needs the processor's lock; others read.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    read: AtomicU64,
    written: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
}

impl Transfers {
    /// Counters that go on from there.
    pub(crate) fn from(moved: Moved) -> Self {
        Self {
            read: AtomicU64::new(moved.read),
            written: AtomicU64::new(moved.written),
            reads: AtomicU64::new(moved.reads),
            writes: AtomicU64::new(moved.writes),
        }
    }

    /// Counts a call that reads. One that was never begun, for want of a descriptor, or goes on after a handler, does not
    /// count.
    #[inline]
    pub(crate) fn has_read(&self, result: Result<usize, Errno>) {
        count(&self.reads, &self.read, result);
    }

    /// Counts a call that writes.
    #[inline]
    pub(crate) fn has_written(&self, result: Result<usize, Errno>) {
        count(&self.writes, &self.written, result);
    }

    /// What was counted so far.
    pub(crate) fn moved(&self) -> Moved {
        Moved {
            read: self.read.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
        }
    }
}

#[inline]
fn count(calls: &AtomicU64, bytes: &AtomicU64, result: Result<usize, Errno>) {
    match result {
        Ok(count) => {
            add(calls, 1);
            add(bytes, count as u64);
        }
        Err(Errno::EBADF | Errno::EINTR) => {}
        Err(_) => add(calls, 1),
    }
}

#[inline]
fn add(counter: &AtomicU64, count: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(count);
    counter.store(sum, Ordering::Relaxed);
}

/// Clock ticks a second, as `AT_CLKTCK` says.
const TICKS: u128 = 100;

/// A time in clock ticks. They wrap, as `clock_t` does on 32-bit Linux.
pub(crate) fn ticks(time: Duration) -> u32 {
    let ticks = time.as_nanos() / (1_000_000_000 / TICKS);
    u32::try_from(ticks & u128::from(u32::MAX)).unwrap_or(0)
}
