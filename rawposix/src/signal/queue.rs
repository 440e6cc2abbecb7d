//! Signals that were sent and not taken yet.

use std::collections::VecDeque;

use rawposix_abi::structs::Siginfo;
use rawposix_abi::{Signal, SignalSet};

use super::info;
use crate::share::Share;

/// The pending signals of a thread or of a process: a standard signal once, real-time signals all, in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    set: SignalSet,
    /// At most one element per standard signal.
    entries: VecDeque<Entry>,
}

/// A signal that was sent.
#[derive(Debug)]
struct Entry {
    info: Siginfo,
    /// Its place among those of the user; none where it has a place elsewhere, as that of a timer has.
    _slot: Option<Share>,
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

    /// Adds a signal; a standard one that is pending stays as it is.
    pub(crate) fn push(&mut self, signal: Signal, info: Siginfo, slot: Option<Share>) {
        if signal.raw() < Signal::RTMIN && self.set.contains(signal) {
            return;
        }
        self.set = self.set.with(signal);
        self.entries.push_back(Entry { info, _slot: slot });
    }

    /// Whether the signal of this timer waits.
    pub(crate) fn has_timer(&self, timer: i32) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| info::timer(&entry.info) == Some(timer))
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
        let (place, _) = places.find(|(_, entry)| entry.info.signo == number)?;
        let taken = self.entries.remove(place);
        if !self.entries.iter().any(|entry| entry.info.signo == number) {
            self.set = self.set.without(signal);
        }
        taken.map(|entry| entry.info)
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
        self.entries.retain(|entry| keep(&entry.info));
        let left = self.entries.iter().map(|entry| &entry.info);
        let left = left.filter_map(info::signal);
        self.set = left.fold(SignalSet::EMPTY, SignalSet::with);
    }
}
