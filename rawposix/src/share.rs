//! Shares of what the processes of a sandbox together may have only so much of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much of it is taken.
#[derive(Debug, Default)]
pub(crate) struct Shares(AtomicU64);

impl Shares {
    /// The sum of all shares.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes a share, unless more than `most` would be taken then.
    pub(crate) fn take(self: &Arc<Self>, count: u64, most: u64) -> Option<Share> {
        self.reserve(count, most).then(|| self.share(count))
    }

    /// Takes a share, whatever the limit.
    pub(crate) fn take_anyway(self: &Arc<Self>, count: u64) -> Share {
        self.0.fetch_add(count, Ordering::Relaxed);
        self.share(count)
    }

    fn reserve(&self, count: u64, most: u64) -> bool {
        let more = |taken: u64| taken.checked_add(count).filter(|taken| *taken <= most);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    fn share(self: &Arc<Self>, count: u64) -> Share {
        Share {
            of: Arc::clone(self),
            count,
        }
    }
}

/// A share, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Arc<Shares>,
    count: u64,
}

impl Share {
    /// Takes `count` more; `None` if more than `most` would be taken then.
    pub(crate) fn grow(&mut self, count: u64, most: u64) -> Option<()> {
        self.of.reserve(count, most).then(|| self.count += count)
    }

    /// A share of the same size, unless more than `most` would be taken then.
    pub(crate) fn twin(&self, most: u64) -> Option<Self> {
        self.of.take(self.count, most)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_end_at_the_limit_and_come_back() {
        let taken = Arc::new(Shares::default());
        let mut first = taken.take(3, 8).unwrap();
        assert!(taken.take(6, 8).is_none());
        assert!(taken.take(u64::MAX, 8).is_none());
        assert_eq!(taken.get(), 3);
        assert!(first.grow(1, 8).is_some());
        let second = first.twin(8).unwrap();
        assert!(first.grow(1, 8).is_none());
        assert!(first.twin(8).is_none());
        assert_eq!(taken.get(), 8);
        drop(first);
        assert_eq!(taken.get(), 4);
        let beyond = taken.take_anyway(10);
        drop(second);
        assert_eq!(taken.get(), 10);
        drop(beyond);
        assert_eq!(taken.get(), 0);
    }
}
