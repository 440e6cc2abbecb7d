//! Signal numbers, sets and default actions of the guest ABI. See signal(7).

use core::fmt;

/// What a signal does to a process that neither catches nor ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultAction {
    /// End the process.
    Terminate,
    /// End the process; its wait status says that it dumped core.
    Core,
    /// Nothing.
    Ignore,
    /// Stop the process until SIGCONT.
    Stop,
    /// Continue the process if it is stopped.
    Continue,
}

/// A signal number, `1..=64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

macro_rules! signals {
    ($($number:literal $name:ident $action:ident $message:literal;)*) => {
        impl Signal {
            $(#[doc = $message] pub const $name: Self = Self($number);)*

            /// The symbolic name, such as `SIGSEGV`; `None` for real-time signals.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// The sentence of strsignal(3), such as `Segmentation fault`.
            pub const fn message(self) -> &'static str {
                match self.0 {
                    $($number => $message,)*
                    _ => "Real-time signal",
                }
            }

            /// What happens when the signal is neither caught nor ignored.
            pub const fn default_action(self) -> DefaultAction {
                match self.0 {
                    $($number => DefaultAction::$action,)*
                    _ => DefaultAction::Terminate,
                }
            }
        }
    };
}

signals! {
    1 SIGHUP Terminate "Hangup";
    2 SIGINT Terminate "Interrupt";
    3 SIGQUIT Core "Quit";
    4 SIGILL Core "Illegal instruction";
    5 SIGTRAP Core "Trace/breakpoint trap";
    6 SIGABRT Core "Aborted";
    7 SIGBUS Core "Bus error";
    8 SIGFPE Core "Floating point exception";
    9 SIGKILL Terminate "Killed";
    10 SIGUSR1 Terminate "User defined signal 1";
    11 SIGSEGV Core "Segmentation fault";
    12 SIGUSR2 Terminate "User defined signal 2";
    13 SIGPIPE Terminate "Broken pipe";
    14 SIGALRM Terminate "Alarm clock";
    15 SIGTERM Terminate "Terminated";
    16 SIGSTKFLT Terminate "Stack fault";
    17 SIGCHLD Ignore "Child exited";
    18 SIGCONT Continue "Continued";
    19 SIGSTOP Stop "Stopped (signal)";
    20 SIGTSTP Stop "Stopped";
    21 SIGTTIN Stop "Stopped (tty input)";
    22 SIGTTOU Stop "Stopped (tty output)";
    23 SIGURG Ignore "Urgent I/O condition";
    24 SIGXCPU Core "CPU time limit exceeded";
    25 SIGXFSZ Core "File size limit exceeded";
    26 SIGVTALRM Terminate "Virtual timer expired";
    27 SIGPROF Terminate "Profiling timer expired";
    28 SIGWINCH Ignore "Window changed";
    29 SIGIO Terminate "I/O possible";
    30 SIGPWR Terminate "Power failure";
    31 SIGSYS Core "Bad system call";
}

impl Signal {
    /// The greatest signal number.
    pub const MAX: u8 = 64;
    /// The first real-time signal, as the kernel counts them.
    pub const RTMIN: u8 = 32;

    /// The signal with this number; `None` outside `1..=64`.
    pub const fn from_raw(number: u32) -> Option<Self> {
        match number {
            #[allow(
                clippy::cast_possible_truncation,
                reason = "the pattern bounds the value"
            )]
            1..=64 => Some(Self(number as u8)),
            _ => None,
        }
    }

    /// The number.
    pub const fn raw(self) -> u8 {
        self.0
    }

    /// Whether the signal can be caught, blocked and ignored: all but SIGKILL and SIGSTOP.
    pub const fn is_catchable(self) -> bool {
        !matches!(self, Self::SIGKILL | Self::SIGSTOP)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "SIGRT_{}", self.0.saturating_sub(Self::RTMIN)),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of signals: bit `n - 1` stands for signal `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalSet(u64);

impl SignalSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The set with these bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits of the set.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether `signal` is in the set.
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & (1 << (signal.0 - 1)) != 0
    }

    /// The set with `signal` added.
    #[must_use]
    pub const fn with(self, signal: Signal) -> Self {
        Self(self.0 | 1 << (signal.0 - 1))
    }

    /// The set without `signal`.
    #[must_use]
    pub const fn without(self, signal: Signal) -> Self {
        Self(self.0 & !(1 << (signal.0 - 1)))
    }

    /// The set without the signals that cannot be blocked.
    #[must_use]
    pub const fn blockable(self) -> Self {
        self.without(Signal::SIGKILL).without(Signal::SIGSTOP)
    }

    /// The members, in rising order.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        (1..=Signal::MAX)
            .map(Signal)
            .filter(move |s| self.contains(*s))
    }
}
