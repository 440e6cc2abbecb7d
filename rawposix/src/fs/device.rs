//! The devices of `/dev`: a fixed few of the host's, opened by name when the guest opens them.

use std::os::fd::OwnedFd;

use rawposix_abi::Errno;
use rustix::fs::{CWD, Mode, OFlags};

/// A device that every sandbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    Null,
    Zero,
    Full,
    Random,
    Urandom,
    /// The terminal that lind runs in.
    Tty,
}

impl Device {
    /// All devices.
    pub(crate) const ALL: [Self; 6] = [
        Self::Null,
        Self::Zero,
        Self::Full,
        Self::Random,
        Self::Urandom,
        Self::Tty,
    ];

    /// The name in `/dev`, of the sandbox and of the host.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Zero => "zero",
            Self::Full => "full",
            Self::Random => "random",
            Self::Urandom => "urandom",
            Self::Tty => "tty",
        }
    }

    /// Major and minor number, see null(4), random(4), tty(4).
    pub(crate) const fn number(self) -> (u32, u32) {
        match self {
            Self::Null => (1, 3),
            Self::Zero => (1, 5),
            Self::Full => (1, 7),
            Self::Random => (1, 8),
            Self::Urandom => (1, 9),
            Self::Tty => (5, 0),
        }
    }

    /// Opens the host's device. The terminal is there only if one of lind's own streams is one:
    /// it is the streams that were granted, not the session.
    pub(crate) fn open(self, flags: OFlags) -> Result<OwnedFd, Errno> {
        if self == Self::Tty && !has_terminal() {
            return Err(Errno::ENXIO);
        }
        let path = format!("/dev/{}", self.name());
        let kept = OFlags::RWMODE | OFlags::NONBLOCK | OFlags::APPEND;
        Ok(rustix::fs::openat(
            CWD,
            path,
            (flags & kept) | OFlags::CLOEXEC | OFlags::NOCTTY,
            Mode::empty(),
        )?)
    }
}

/// Whether one of lind's standard streams is a terminal.
fn has_terminal() -> bool {
    rustix::termios::isatty(rustix::stdio::stdin())
        || rustix::termios::isatty(rustix::stdio::stdout())
        || rustix::termios::isatty(rustix::stdio::stderr())
}
