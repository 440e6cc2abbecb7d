//! Signals that were sent and not taken yet.

use std::collections::VecDeque;

use rawposix_abi::structs::Siginfo;
use rawposix_abi::{Signal, SignalSet};

use super::info;

/// The pending signals of a thread or of a process: a standard signal once, real-time signals all, in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    set: SignalSet,
    /// At most one element per standard signal.
    entries: VecDeque<Siginfo>,
}

/// Signals that the faulting thread itself causes are taken first.
const SYNCHRONOUS: SignalSet = SignalSet::EMPTY
    .with(Signal::SIGSEGV)
    .with(Signal::SIGBUS)
    .with(Signal::SIGILL)
    .with(Signal::SIGTRAP)
    .with(Signal::SIGFPE)
    .with(Signal::SIGSYS);

impl Queue {
    /// The signals that are pending.
    pub(crate) fn set(&self) -> SignalSet {
        self.set
    }

    /// How many elements there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds a signal; a standard one that is pending stays as it is.
    pub(crate) fn push(&mut self, signal: Signal, info: Siginfo) {
        if signal.raw() < Signal::RTMIN && self.set.contains(signal) {
            return;
        }
        self.set = self.set.with(signal);
        self.entries.push_back(info);
    }

    /// Whether the signal of this timer waits.
    pub(crate) fn has_timer(&self, timer: i32) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| info::timer(entry) == Some(timer))
    }

    /// Removes the signal of a timer that is deleted.
    pub(crate) fn remove_timer(&mut self, timer: i32) {
        self.retain(|entry| info::timer(entry) != Some(timer));
    }

    /// The signal that is taken next, of those in `wanted`.
    pub(crate) fn peek(&self, wanted: SignalSet) -> Option<Signal> {
        let ready = self.set.bits() & wanted.bits();
        let first = ready & SYNCHRONOUS.bits();
        let ready = if first == 0 { ready } else { first };
        Signal::from_raw(ready.trailing_zeros().saturating_add(1))
    }

    /// Takes the first of this signal.
    pub(crate) fn take(&mut self, signal: Signal) -> Option<Siginfo> {
        let number = i32::from(signal.raw());
        let mut places = self.entries.iter().enumerate();
        let (place, _) = places.find(|(_, entry)| entry.signo == number)?;
        let taken = self.entries.remove(place);
        if !self.entries.iter().any(|entry| entry.signo == number) {
            self.set = self.set.without(signal);
        }
        taken
    }

    /// Forgets all of these signals.
    pub(crate) fn remove(&mut self, signals: SignalSet) {
        if self.set.bits() & signals.bits() != 0 {
            self.retain(|entry| {
                !info::signal(entry).is_some_and(|signal| signals.contains(signal))
            });
        }
    }

    fn retain(&mut self, keep: impl Fn(&Siginfo) -> bool) {
        self.entries.retain(keep);
        let left = self.entries.iter().filter_map(info::signal);
        self.set = left.fold(SignalSet::EMPTY, SignalSet::with);
    }
}
