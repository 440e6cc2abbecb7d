//! Processor time of processes.

use std::time::Duration;

/// Processor time in user code and in the system. lind does not tell them apart: all of it counts as the user's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) user: Duration,
}

impl Times {
    /// The sum.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            user: self.user.saturating_add(other.user),
        }
    }
}

/// Clock ticks a second, as `AT_CLKTCK` says.
const TICKS: u128 = 100;

/// A time in clock ticks. They wrap, as `clock_t` does on 32-bit Linux.
pub(crate) fn ticks(time: Duration) -> u32 {
    let ticks = time.as_nanos() / (1_000_000_000 / TICKS);
    u32::try_from(ticks & u128::from(u32::MAX)).unwrap_or(0)
}
