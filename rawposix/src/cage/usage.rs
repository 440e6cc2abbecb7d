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

    /// In clock ticks, of which there are 100 a second.
    pub(crate) fn ticks(self) -> u32 {
        u32::try_from(self.user.as_millis() / 10).unwrap_or(u32::MAX)
    }
}
