//! RLIMIT_CPU: SIGXCPU every second from the soft limit on, SIGKILL at the hard one. See getrlimit(2).

use std::sync::Arc;
use std::time::Duration;

use rawposix_abi::Signal;
use rawposix_abi::flags::resource::RLIMIT_CPU;
use rawposix_abi::structs::Rlimit64;

use super::{Key, TICK};
use crate::cage::{Process, UNLIMITED};

impl Process {
    /// Watches the limit of processor time, which is new: the process's own or the limit.
    pub(crate) fn watch_processor_time(self: &Arc<Self>) {
        let Some(next) = self.next_processor_limit() else {
            return;
        };
        let generation = {
            let mut table = self.timers.0.lock();
            table.generation = table.generation.wrapping_add(1);
            table.limit_generation = table.generation;
            table.generation
        };
        self.plan_processor_limit(next, generation);
    }

    /// When something has to happen next, in processor time.
    fn next_processor_limit(&self) -> Option<Duration> {
        let limit = self.limit(RLIMIT_CPU).ok()?;
        let next = limit.current.min(limit.max);
        (next != UNLIMITED).then(|| Duration::from_secs(next))
    }

    fn plan_processor_limit(self: &Arc<Self>, next: Duration, generation: u64) {
        let left = next.saturating_sub(self.processor_time());
        let threads = u32::try_from(self.tasks().len()).unwrap_or(u32::MAX).max(1);
        let after = (left / threads).max(TICK);
        let alarms = &self.world().alarms;
        alarms.plan(after, Arc::downgrade(self), Key::Limit, generation);
    }

    /// The limit may have been reached.
    pub(super) fn processor_limit_is_due(self: &Arc<Self>, generation: u64) {
        if self.timers.0.lock().limit_generation != generation || self.end().is_some() {
            return;
        }
        let Ok(limit) = self.limit(RLIMIT_CPU) else {
            return;
        };
        let has_used = |seconds: u64| self.processor_time() >= Duration::from_secs(seconds);
        if limit.max != UNLIMITED && has_used(limit.max) {
            self.kill(Signal::SIGKILL);
            return;
        }
        if limit.current != UNLIMITED && has_used(limit.current) {
            self.send_from_system(Signal::SIGXCPU);
            // The next one comes a second later, as the limit then says.
            let more = Rlimit64 {
                current: limit.current.saturating_add(1).min(limit.max),
                ..limit
            };
            let _ = self.set_limit(RLIMIT_CPU, more);
        }
        if let Some(next) = self.next_processor_limit() {
            self.plan_processor_limit(next, generation);
        }
    }
}
