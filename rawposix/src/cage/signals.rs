//! Signal dispositions of a process.

use rawposix_abi::flags::CloneFlags;
use rawposix_abi::structs::Sigaction;
use rawposix_abi::{DefaultAction, Signal, SignalSet};

/// What a process does with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Default,
    Ignore,
    /// It is caught by the function at this table index.
    Handler(u32),
}

/// Dispositions and pending signals.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    actions: std::collections::BTreeMap<Signal, Sigaction>,
    /// Sent, and blocked since.
    pub(crate) pending: SignalSet,
}

const SIG_DFL: u32 = 0;
const SIG_IGN: u32 = 1;

impl Signals {
    /// Those of a child: nothing is pending, and with `CLONE_CLEAR_SIGHAND` nothing is caught.
    pub(crate) fn child(&self, _flags: CloneFlags) -> Self {
        Self {
            actions: self.actions.clone(),
            pending: SignalSet::EMPTY,
        }
    }

    /// What execve(2) does: caught signals get their default action, ignored ones stay ignored.
    pub(crate) fn execute(&mut self) {
        self.actions.retain(|_, action| action.handler == SIG_IGN);
    }

    /// What rt_sigaction(2) reports.
    pub(crate) fn action(&self, signal: Signal) -> Sigaction {
        self.actions.get(&signal).copied().unwrap_or_default()
    }

    /// What rt_sigaction(2) sets. A pending signal that is ignored from now on is forgotten.
    pub(crate) fn set_action(&mut self, signal: Signal, action: Sigaction) {
        self.actions.insert(signal, action);
        if self.is_ignored(signal) {
            self.pending = self.pending.without(signal);
        }
    }

    /// What happens when the signal arrives.
    pub(crate) fn disposition(&self, signal: Signal) -> Disposition {
        match self.action(signal).handler {
            SIG_DFL => Disposition::Default,
            SIG_IGN => Disposition::Ignore,
            handler => Disposition::Handler(handler),
        }
    }

    /// Whether nothing happens when the signal arrives.
    pub(crate) fn is_ignored(&self, signal: Signal) -> bool {
        match self.disposition(signal) {
            Disposition::Ignore => true,
            Disposition::Default => matches!(
                signal.default_action(),
                DefaultAction::Ignore | DefaultAction::Continue
            ),
            Disposition::Handler(_) => false,
        }
    }
}
