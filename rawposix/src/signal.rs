//! Sending signals and what they do. See signal(7).

use std::sync::Arc;

use rawposix_abi::structs::Sigaction;
use rawposix_abi::{DefaultAction, Errno, Signal, SignalSet};

use crate::cage::usage::Times;
use crate::cage::{Disposition, Process};
use crate::control::ExitStatus;
use crate::thread::Thread;

/// `SA_NOCLDWAIT` of sigaction(2).
const SA_NOCLDWAIT: u32 = 2;

impl Process {
    /// Sends a signal that no process has sent.
    pub(crate) fn send_from_system(&self, signal: Signal) {
        let _ = self.send(signal, SignalSet::EMPTY);
    }

    /// Tells a parent how its child has ended.
    pub(crate) fn send_child_signal(
        &self,
        signal: Signal,
        child: &Arc<Process>,
        status: ExitStatus,
        times: Times,
    ) {
        let _ = (child, status, times);
        self.send_from_system(signal);
    }

    /// Whether ended children are not kept for wait(2): SIGCHLD is ignored, or caught with `SA_NOCLDWAIT`.
    pub(crate) fn forgets_children(&self) -> bool {
        let signals = self.signals.lock();
        let Sigaction { flags, .. } = signals.action(Signal::SIGCHLD);
        signals.disposition(Signal::SIGCHLD) == Disposition::Ignore || flags & SA_NOCLDWAIT != 0
    }

    /// Sends a signal; `mask` is that of the thread that would take it. `ENOSYS` for one that is caught.
    pub(crate) fn send(&self, signal: Signal, mask: SignalSet) -> Result<(), Errno> {
        let mut signals = self.signals.lock();
        if signals.is_ignored(signal) {
            return Ok(());
        }
        if mask.contains(signal) {
            signals.pending = signals.pending.with(signal);
            return Ok(());
        }
        if let Disposition::Handler(_) = signals.disposition(signal) {
            return Err(Errno::ENOSYS);
        }
        drop(signals);
        self.act(signal)
    }

    /// The default action of a signal that is not ignored by default.
    fn act(&self, signal: Signal) -> Result<(), Errno> {
        use DefaultAction::{Continue, Core, Ignore, Stop, Terminate};
        match signal.default_action() {
            Terminate | Core => self.kill(signal),
            Stop => return Err(Errno::ENOSYS),
            Ignore | Continue => {}
        }
        Ok(())
    }

    /// What was pending and is not blocked by `mask` happens now.
    pub(crate) fn recheck_signals(&self, mask: SignalSet) {
        let mut signals = self.signals.lock();
        let ready: Vec<_> = signals
            .pending
            .iter()
            .filter(|signal| !mask.contains(*signal))
            .collect();
        let mut due = Vec::new();
        for signal in ready {
            signals.pending = signals.pending.without(signal);
            if signals.disposition(signal) == Disposition::Default {
                due.push(signal);
            }
        }
        drop(signals);
        for signal in due {
            let _ = self.act(signal);
        }
    }
}

impl Thread {
    /// Sends a signal to the own process.
    pub(crate) fn raise(&self, signal: Signal) -> Result<(), Errno> {
        self.process.send(signal, self.mask)
    }

    /// A write into a pipe that nobody reads sends SIGPIPE.
    pub(crate) fn broken_pipe<T>(&self, result: Result<T, Errno>) -> Result<T, Errno> {
        if matches!(result, Err(Errno::EPIPE)) {
            // A caught SIGPIPE shows as the error alone.
            let _ = self.raise(Signal::SIGPIPE);
        }
        result
    }
}
