//! The host thread that waits for timers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::Key;
use crate::cage::Process;

/// Plans among which none is looked for that is void.
const ENOUGH: usize = 1 << 12;

/// What is planned, and the thread that does it; that begins with the first plan.
#[derive(Debug)]
pub(crate) struct Alarms {
    started: Instant,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    plans: Mutex<Plans>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Plans {
    heap: BinaryHeap<Reverse<Plan>>,
    /// How many there may be before those are looked for that are void.
    enough: usize,
    number: u64,
    has_thread: bool,
    closed: bool,
}

#[derive(Debug)]
struct Plan {
    at: Instant,
    number: u64,
    process: Weak<Process>,
    key: Key,
    generation: u64,
}

impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Plan {}

impl PartialOrd for Plan {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Plan {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            shared: Arc::default(),
        }
    }
}

impl Alarms {
    /// Time since the sandbox was made.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Has a process look at a timer after a while.
    pub(super) fn plan(&self, after: Duration, process: Weak<Process>, key: Key, generation: u64) {
        let Some(at) = Instant::now().checked_add(after) else {
            // That never comes.
            return;
        };
        let mut plans = self.shared.plans.lock();
        plans.number = plans.number.wrapping_add(1);
        let number = plans.number;
        plans.heap.push(Reverse(Plan {
            at,
            number,
            process,
            key,
            generation,
        }));
        if !plans.has_thread {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("timers".to_owned());
            // Without a thread nothing expires; the next plan tries again.
            plans.has_thread = thread.spawn(move || shared.run()).is_ok();
        }
        drop(plans);
        self.shared.changed.notify_one();
    }
}

impl Drop for Alarms {
    fn drop(&mut self) {
        self.shared.plans.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    /// Forgets the plans of timers that were set anew, deleted, or whose processes have ended.
    fn forget_void(plans: &mut parking_lot::MutexGuard<'_, Plans>) {
        let all = std::mem::take(&mut plans.heap);
        let valid = parking_lot::MutexGuard::unlocked(plans, || {
            let mut all = all.into_vec();
            all.retain(|Reverse(plan)| {
                let process = plan.process.upgrade();
                process.is_some_and(|process| process.has_planned(plan.key, plan.generation))
            });
            all
        });
        plans.enough = valid.len() * 2;
        plans.heap.extend(valid);
    }

    fn run(&self) {
        let mut plans = self.plans.lock();
        while !plans.closed {
            if plans.heap.len() >= plans.enough.max(ENOUGH) {
                Self::forget_void(&mut plans);
                continue;
            }
            let next = plans.heap.peek().map(|Reverse(plan)| plan.at);
            match next {
                None => self.changed.wait(&mut plans),
                Some(at) if at > Instant::now() => {
                    self.changed.wait_until(&mut plans, at);
                }
                Some(_) => {
                    let plan = plans.heap.pop();
                    parking_lot::MutexGuard::unlocked(&mut plans, || {
                        if let Some(Reverse(plan)) = plan
                            && let Some(process) = plan.process.upgrade()
                        {
                            process.timer_is_due(plan.key, plan.generation);
                        }
                    });
                }
            }
        }
    }
}
