//! The devices of `/dev`: a fixed few of the host's, opened by name when the guest opens them.

use std::borrow::Cow;
use std::os::fd::OwnedFd;

use rawposix_abi::Errno;
use rustix::fs::{CWD, Mode, OFlags};

use crate::terminal::End;

/// A device that every sandbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    Null,
    Zero,
    Full,
    Random,
    Urandom,
    /// The terminal that controls whoever opens it.
    Tty,
    /// A new pseudo-terminal, at every opening.
    Ptmx,
    /// The terminal with this number, in `/dev/pts`.
    Terminal(u32),
}

impl Device {
    /// All that stand directly in `/dev`.
    pub(crate) const ALL: [Self; 7] = [
        Self::Null,
        Self::Zero,
        Self::Full,
        Self::Random,
        Self::Urandom,
        Self::Tty,
        Self::Ptmx,
    ];

    /// The name in `/dev`; but for the terminals', it is that of the host as well.
    pub(crate) fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Null => "null",
            Self::Zero => "zero",
            Self::Full => "full",
            Self::Random => "random",
            Self::Urandom => "urandom",
            Self::Tty => "tty",
            Self::Ptmx => "ptmx",
            Self::Terminal(number) => return Cow::Owned(format!("pts/{number}")),
        })
    }

    /// The device that an end of a terminal was opened as.
    pub(crate) fn of_end(end: &End) -> Self {
        match end {
            End::Line(line) => Self::Terminal(line.number),
            End::Controlling(_) => Self::Tty,
            End::Master(_) => Self::Ptmx,
        }
    }

    /// Major and minor number, see null(4), random(4), tty(4), pts(4).
    pub(crate) const fn number(self) -> (u32, u32) {
        match self {
            Self::Null => (1, 3),
            Self::Zero => (1, 5),
            Self::Full => (1, 7),
            Self::Random => (1, 8),
            Self::Urandom => (1, 9),
            Self::Tty => (5, 0),
            Self::Ptmx => (5, 2),
            Self::Terminal(number) => (136, number),
        }
    }

    /// A number of its own for stat and listings.
    pub(crate) fn inode(self) -> u64 {
        match self {
            Self::Terminal(number) => 3 + u64::from(number),
            device => {
                let (major, minor) = device.number();
                0x100 * u64::from(major) + u64::from(minor)
            }
        }
    }

    /// Opens the host's device, or lind's own terminal. The terminal is there only if one of lind's own streams is one:
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
pub(crate) fn has_terminal() -> bool {
    rustix::termios::isatty(rustix::stdio::stdin())
        || rustix::termios::isatty(rustix::stdio::stdout())
        || rustix::termios::isatty(rustix::stdio::stderr())
}
