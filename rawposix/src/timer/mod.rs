//! Timers that send signals: those of setitimer(2), and those of timer_create(2).
//!
//! One host thread per sandbox, [`Alarms`], waits for the next expiry of them all. Timers that count processor time are
//! looked at when they can have expired at the earliest.

mod alarms;
mod limit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rawposix_abi::structs::Siginfo;
use rawposix_abi::{Errno, Signal};

pub(crate) use alarms::Alarms;

use crate::cage::{Process, Task};
use crate::share::Share;
use crate::signal::{from_system, from_timer, set_overrun, timer_of};

/// Which of a process's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// `ITIMER_REAL`
    Real,
    /// `ITIMER_VIRTUAL`
    Virtual,
    /// `ITIMER_PROF`
    Prof,
    /// Made by timer_create(2).
    Posix(i32),
    /// RLIMIT_CPU, which has no entry among the timers.
    Limit,
}

/// The time that a timer counts.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// Of a clock on the wall.
    Wall,
    /// Processor time of the process.
    Process,
    /// Processor time of a thread.
    Thread(Arc<Task>),
    /// Processor time of another process.
    Other(Arc<Process>),
}

/// What an expiry does.
#[derive(Clone, Debug)]
pub(crate) enum Notify {
    Nothing,
    Process(Signal, u32),
    Thread(Signal, u32, Arc<Task>),
}

/// Time until the next expiry, none if the timer is not armed, and between the following ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) value: Duration,
    pub(crate) interval: Duration,
}

#[derive(Debug)]
struct Timer {
    clock: Clock,
    /// The number of the clock that timer_create(2) was given.
    clock_id: u32,
    notify: Notify,
    /// The time of `clock` at which it expires.
    next: Option<Duration>,
    interval: Duration,
    /// Expiries since the signal was queued, and those that the signal taken last has told.
    overrun: u64,
    told: i32,
    /// Another one whenever it is set: what was planned before is void.
    generation: u64,
    /// The place of its signal among those of the user.
    _slot: Option<Share>,
}

/// The timers of a process.
#[derive(Debug, Default)]
pub(crate) struct Timers(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    timers: BTreeMap<Key, Timer>,
    generation: u64,
    /// That of the last plan for RLIMIT_CPU.
    limit_generation: u64,
    next_id: i32,
}

/// Processor time is not looked at more often than a kernel's tick.
const TICK: Duration = Duration::from_millis(2);
/// How many timers of timer_create(2) a process may have.
const MAX_TIMERS: usize = 4096;

impl Timers {
    /// timer_create(2). `EAGAIN` when there are too many.
    pub(crate) fn create(
        &self,
        clock: Clock,
        clock_id: u32,
        slot: Share,
        notify: impl FnOnce(i32) -> Notify,
    ) -> Result<i32, Errno> {
        let mut table = self.0.lock();
        if table.timers.len() >= MAX_TIMERS {
            return Err(Errno::EAGAIN);
        }
        let mut id = table.next_id;
        while table.timers.contains_key(&Key::Posix(id)) {
            id = id.checked_add(1).unwrap_or(0);
        }
        table.next_id = id.checked_add(1).unwrap_or(0);
        let timer = Timer {
            clock_id,
            _slot: Some(slot),
            ..Timer::new(clock, notify(id))
        };
        table.timers.insert(Key::Posix(id), timer);
        Ok(id)
    }

    /// What execve(2) does: the timers of timer_create(2) are gone.
    pub(crate) fn execute(&self) {
        let mut table = self.0.lock();
        table.timers.retain(|key, _| !matches!(key, Key::Posix(_)));
    }

    /// Removes all of them.
    pub(crate) fn clear(&self) {
        self.0.lock().timers.clear();
    }

    /// timer_getoverrun(2).
    pub(crate) fn overrun(&self, id: i32) -> Result<i32, Errno> {
        let table = self.0.lock();
        let timer = table.timers.get(&Key::Posix(id)).ok_or(Errno::EINVAL)?;
        Ok(timer.told)
    }

    /// The clock of a timer of timer_create(2), and its number.
    pub(crate) fn clock(&self, id: i32) -> Result<(Clock, u32), Errno> {
        let table = self.0.lock();
        let timer = table.timers.get(&Key::Posix(id)).ok_or(Errno::EINVAL)?;
        Ok((timer.clock.clone(), timer.clock_id))
    }
}

impl Timer {
    fn new(clock: Clock, notify: Notify) -> Self {
        Self {
            clock,
            clock_id: 0,
            notify,
            next: None,
            interval: Duration::ZERO,
            overrun: 0,
            told: 0,
            generation: 0,
            _slot: None,
        }
    }

    /// Moves on past `now`; gives how often the timer has expired.
    fn advance(&mut self, now: Duration) -> u64 {
        let Some(late) = self.next.and_then(|next| now.checked_sub(next)) else {
            return 0;
        };
        if self.interval.is_zero() {
            self.next = None;
            return 1;
        }
        let missed = late.as_nanos() / self.interval.as_nanos();
        let passed = u64::try_from(missed).unwrap_or(u64::MAX).saturating_add(1);
        let step = self.interval.as_nanos().saturating_mul(u128::from(passed));
        let step = Duration::from_nanos(u64::try_from(step).unwrap_or(u64::MAX));
        self.next = self.next.and_then(|next| next.checked_add(step));
        passed
    }

    fn setting(&self, now: Duration) -> Setting {
        let least = Duration::from_nanos(1);
        Setting {
            value: self
                .next
                .map_or(Duration::ZERO, |next| next.saturating_sub(now).max(least)),
            interval: self.interval,
        }
    }
}

impl Process {
    /// The present time of a timer's clock.
    pub(crate) fn timer_time(&self, clock: &Clock) -> Duration {
        match clock {
            Clock::Wall => self.world().alarms.now(),
            Clock::Process => self.processor_time(),
            Clock::Thread(task) => task.host.processor_time(),
            Clock::Other(process) => process.processor_time(),
        }
    }

    /// Processor time of all threads, those that have ended as well.
    pub(crate) fn processor_time(&self) -> Duration {
        let living: Duration = self
            .tasks()
            .iter()
            .map(|task| task.host.processor_time())
            .sum();
        self.past_times().user.saturating_add(living)
    }

    /// What a timer is set to. `EINVAL` for one that does not exist.
    pub(crate) fn timer(&self, key: Key) -> Result<Setting, Errno> {
        let mut table = self.timers.0.lock();
        match table.timers.get_mut(&key) {
            Some(timer) => {
                let now = self.timer_time(&timer.clock);
                if let Notify::Nothing = timer.notify {
                    timer.advance(now);
                }
                Ok(timer.setting(now))
            }
            None => match key {
                Key::Posix(_) => Err(Errno::EINVAL),
                _ => Ok(Setting::default()),
            },
        }
    }

    /// Sets a timer, which first expires after `setting.value`; gives what it was set to.
    pub(crate) fn set_timer(
        self: &Arc<Self>,
        key: Key,
        setting: Setting,
    ) -> Result<Setting, Errno> {
        let before = self.timer(key)?;
        let mut table = self.timers.0.lock();
        table.generation = table.generation.wrapping_add(1);
        let generation = table.generation;
        let timer = match key {
            Key::Posix(_) | Key::Limit => table.timers.get_mut(&key).ok_or(Errno::EINVAL)?,
            Key::Real => Self::itimer(&mut table, key, Clock::Wall, Signal::SIGALRM),
            Key::Virtual => Self::itimer(&mut table, key, Clock::Process, Signal::SIGVTALRM),
            Key::Prof => Self::itimer(&mut table, key, Clock::Process, Signal::SIGPROF),
        };
        let now = self.timer_time(&timer.clock);
        timer.generation = generation;
        timer.interval = setting.interval;
        timer.overrun = 0;
        timer.next = (!setting.value.is_zero()).then(|| now.saturating_add(setting.value));
        self.plan(key, timer, now);
        Ok(before)
    }

    fn itimer(table: &mut Table, key: Key, clock: Clock, signal: Signal) -> &mut Timer {
        let timer = || Timer::new(clock, Notify::Process(signal, 0));
        table.timers.entry(key).or_insert_with(timer)
    }

    /// timer_delete(2).
    pub(crate) fn delete_timer(&self, id: i32) -> Result<(), Errno> {
        let removed = self.timers.0.lock().timers.remove(&Key::Posix(id));
        removed.map(|_| self.forget_timer(id)).ok_or(Errno::EINVAL)
    }

    /// Has the timer looked at when it can have expired.
    fn plan(self: &Arc<Self>, key: Key, timer: &Timer, now: Duration) {
        /// Timers that expire more often are late, and count it as overruns.
        const LEAST: Duration = Duration::from_micros(50);
        let (Some(next), false) = (timer.next, matches!(timer.notify, Notify::Nothing)) else {
            return;
        };
        let left = next.saturating_sub(now);
        let after = match timer.clock {
            Clock::Wall if timer.interval.is_zero() => left,
            Clock::Wall => left.max(LEAST),
            Clock::Thread(_) | Clock::Other(_) => left.max(TICK),
            Clock::Process => {
                let threads = u32::try_from(self.tasks().len()).unwrap_or(u32::MAX).max(1);
                (left / threads).max(TICK)
            }
        };
        let alarms = &self.world().alarms;
        alarms.plan(after, Arc::downgrade(self), key, timer.generation);
    }

    /// Whether a plan of this generation still matters.
    fn has_planned(&self, key: Key, generation: u64) -> bool {
        if self.end().is_some() {
            return false;
        }
        let table = self.timers.0.lock();
        match key {
            Key::Limit => table.limit_generation == generation,
            _ => {
                let timer = table.timers.get(&key);
                timer.is_some_and(|timer| timer.generation == generation)
            }
        }
    }

    /// A timer may have expired that was planned in this generation.
    fn timer_is_due(self: &Arc<Self>, key: Key, generation: u64) {
        if key == Key::Limit {
            return self.processor_limit_is_due(generation);
        }
        let mut table = self.timers.0.lock();
        let Some(timer) = table.timers.get_mut(&key) else {
            return;
        };
        if timer.generation != generation || self.end().is_some() {
            return;
        }
        let now = self.timer_time(&timer.clock);
        let expiries = timer.advance(now);
        self.plan(key, timer, now);
        if expiries > 0 {
            self.timer_has_expired(key, timer, expiries);
        }
    }

    fn timer_has_expired(&self, key: Key, timer: &mut Timer, expiries: u64) {
        let (signal, value, task) = match &timer.notify {
            Notify::Nothing => return,
            Notify::Process(signal, value) => (*signal, *value, None),
            Notify::Thread(signal, value, task) => (*signal, *value, Some(task)),
        };
        let info = match key {
            Key::Posix(id) if self.has_timer_signal(id, task) => {
                timer.overrun = timer.overrun.saturating_add(expiries);
                return;
            }
            Key::Posix(id) => {
                // What is there already belongs to a signal that is just being taken.
                timer.overrun = timer.overrun.saturating_add(expiries.saturating_sub(1));
                from_timer(signal, id, 0, value)
            }
            _ => from_system(signal),
        };
        // A full queue loses the expiry.
        let _ = self.send(info, task);
    }
}

/// A signal was taken: that of a timer says how often the timer has expired since.
pub(crate) fn taken(process: &Process, mut info: Siginfo) -> Siginfo {
    if let Some(id) = timer_of(&info) {
        let mut table = process.timers.0.lock();
        if let Some(timer) = table.timers.get_mut(&Key::Posix(id)) {
            // Those that nobody has looked at yet count as well.
            let unseen = if timer.interval.is_zero() {
                0
            } else {
                timer.advance(process.timer_time(&timer.clock))
            };
            let overrun = timer.overrun.saturating_add(unseen);
            timer.told = i32::try_from(overrun).unwrap_or(i32::MAX);
            timer.overrun = 0;
            set_overrun(&mut info, timer.told);
        }
    }
    info
}
