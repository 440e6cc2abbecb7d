//! Dispositions: what a process does with its signals.

use rawposix_abi::structs::Sigaction;
use rawposix_abi::{DefaultAction, Signal, SignalSet};

/// What happens when a signal is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Default(DefaultAction),
    Ignore,
    /// It is caught: by the function at the table index that the action names.
    Handler(Sigaction),
}

/// `sa_flags` of sigaction(2).
pub(crate) const SA_NOCLDSTOP: u32 = 1;
pub(crate) const SA_NOCLDWAIT: u32 = 2;
pub(crate) const SA_SIGINFO: u32 = 4;
pub(crate) const SA_ONSTACK: u32 = 0x0800_0000;
pub(crate) const SA_RESTART: u32 = 0x1000_0000;
pub(crate) const SA_NODEFER: u32 = 0x4000_0000;
pub(crate) const SA_RESETHAND: u32 = 0x8000_0000;
/// The flags that mean something; sigaction(2) reports no others.
const KNOWN: u32 = SA_NOCLDSTOP
    | SA_NOCLDWAIT
    | SA_SIGINFO
    | SA_ONSTACK
    | SA_RESTART
    | SA_NODEFER
    | SA_RESETHAND
    | SA_EXPOSE_TAGBITS;
const SA_EXPOSE_TAGBITS: u32 = 0x800;

const SIG_DFL: u32 = 0;
const SIG_IGN: u32 = 1;

/// The dispositions of all signals: what `CLONE_SIGHAND` shares.
#[derive(Clone, Debug)]
pub(crate) struct Actions([Sigaction; Signal::MAX as usize]);

impl Default for Actions {
    fn default() -> Self {
        Self(
            [Sigaction {
                handler: SIG_DFL,
                flags: 0,
                mask: [0; 2],
            }; Signal::MAX as usize],
        )
    }
}

/// The mask of an action.
pub(crate) fn mask(action: &Sigaction) -> SignalSet {
    let [low, high] = action.mask;
    SignalSet::from_bits(u64::from(high) << 32 | u64::from(low))
}

/// A set as the two words of a structure.
pub(crate) fn words(set: SignalSet) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = set.bits().to_le_bytes();
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ]
}

impl Actions {
    /// What rt_sigaction(2) reports.
    pub(crate) fn get(&self, signal: Signal) -> Sigaction {
        let index = usize::from(signal.raw()).wrapping_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }

    /// What rt_sigaction(2) sets.
    pub(crate) fn set(&mut self, signal: Signal, action: Sigaction) {
        let index = usize::from(signal.raw()).wrapping_sub(1);
        if let Some(place) = self.0.get_mut(index) {
            *place = Sigaction {
                handler: action.handler,
                flags: action.flags & KNOWN,
                mask: words(mask(&action).blockable()),
            };
        }
    }

    /// What happens when the signal is taken.
    pub(crate) fn disposition(&self, signal: Signal) -> Disposition {
        let action = self.get(signal);
        match action.handler {
            SIG_DFL => Disposition::Default(signal.default_action()),
            SIG_IGN => Disposition::Ignore,
            _ => Disposition::Handler(action),
        }
    }

    /// Whether nothing happens when the signal is taken.
    pub(crate) fn is_ignored(&self, signal: Signal) -> bool {
        matches!(
            self.disposition(signal),
            Disposition::Ignore
                | Disposition::Default(DefaultAction::Ignore | DefaultAction::Continue)
        )
    }

    /// What is left of caught signals when a program is executed: the default.
    pub(crate) fn reset_handlers(&mut self) {
        for place in &mut self.0 {
            let handler = if place.handler == SIG_IGN {
                SIG_IGN
            } else {
                SIG_DFL
            };
            *place = Sigaction {
                handler,
                ..Sigaction::default()
            };
        }
    }

    /// Sets the default action, as `SA_RESETHAND` and a forced signal do.
    pub(crate) fn reset(&mut self, signal: Signal) {
        let action = self.get(signal);
        let default = Sigaction {
            handler: SIG_DFL,
            ..action
        };
        self.set(signal, default);
    }
}
