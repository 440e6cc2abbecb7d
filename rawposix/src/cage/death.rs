//! Who is told of a process's end beside its parent: its pidfds.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::fd::{Bell, Ready};

/// The bells that show that a process has ended.
#[derive(Debug, Default)]
pub(crate) struct Death(Mutex<Watchers>);

#[derive(Debug, Default)]
struct Watchers {
    has_come: bool,
    bells: Vec<Weak<Bell>>,
}

impl Death {
    /// Lets the bell show the process's end, which may have been.
    pub(crate) fn watch(&self, bell: &Arc<Bell>) {
        let mut watchers = self.0.lock();
        if watchers.has_come {
            bell.show(|| Ready::reading(true));
            return;
        }
        watchers.bells.retain(|bell| bell.strong_count() > 0);
        watchers.bells.push(Arc::downgrade(bell));
    }

    /// The process has ended, and wait(2) reports it.
    pub(crate) fn comes(&self) {
        let mut watchers = self.0.lock();
        watchers.has_come = true;
        for bell in watchers.bells.drain(..) {
            if let Some(bell) = bell.upgrade() {
                bell.show(|| Ready::reading(true));
            }
        }
    }
}
