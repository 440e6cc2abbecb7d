//! Filters of system calls that guests install with seccomp(2), for themselves and for what they start.
//!
//! They are data of a thread: kept by execve(2), inherited by its children, and looked at before every call that it makes,
//! those that are made again after a handler included. A thread without filters pays for one load; one with filters never takes
//! the short way of `quick`.
//!
//! Filters name the architecture that calls are of, since the same number is another call elsewhere. Linux has no name for
//! WebAssembly, so [`ARCHITECTURE`] is one of lind's.

mod bpf;
mod screen;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;
use rawposix_abi::Errno;

pub(crate) use bpf::{Data, MAX_INSTRUCTIONS, Program};

/// What `struct seccomp_data` and `siginfo_t` have as the architecture: `EM_WEBASSEMBLY` (0x4157), the number that binutils use
/// for want of an official one, as little-endian (`__AUDIT_ARCH_LE`); 32-bit ones have no flag.
pub(crate) const ARCHITECTURE: u32 = 0x4000_4157;

/// What a filter says about a call; see seccomp(2). The low 16 bits are data.
pub(crate) mod action {
    pub(crate) const KILL_PROCESS: u32 = 0x8000_0000;
    pub(crate) const KILL_THREAD: u32 = 0;
    pub(crate) const TRAP: u32 = 0x0003_0000;
    pub(crate) const ERRNO: u32 = 0x0005_0000;
    pub(crate) const USER_NOTIF: u32 = 0x7fc0_0000;
    pub(crate) const TRACE: u32 = 0x7ff0_0000;
    pub(crate) const LOG: u32 = 0x7ffc_0000;
    pub(crate) const ALLOW: u32 = 0x7fff_0000;
    /// `SECCOMP_RET_ACTION_FULL`
    pub(crate) const MASK: u32 = 0xffff_0000;
}

/// How a thread's calls are filtered: `SECCOMP_MODE_…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    #[default]
    Disabled = 0,
    /// read(2), write(2), _exit(2) and sigreturn(2) only.
    Strict = 1,
    Filter = 2,
}

/// The filters of a thread, the oldest first.
pub(crate) type Filters = Arc<[Arc<Program>]>;

/// More instructions in all filters of a thread, each counted as four longer than it is, are `ENOMEM`.
const MAX_TOTAL: usize = 32768;

/// What a thread has installed or inherited.
#[derive(Debug, Default)]
pub(crate) struct Seccomp {
    /// Says that there is something to look at, without a lock.
    mode: AtomicU8,
    filters: Mutex<Filters>,
}

impl Seccomp {
    /// Whether calls are filtered.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.mode.load(Ordering::Relaxed) != Mode::Disabled as u8
    }

    /// How calls are filtered.
    pub(crate) fn mode(&self) -> Mode {
        match self.mode.load(Ordering::Acquire) {
            1 => Mode::Strict,
            2 => Mode::Filter,
            _ => Mode::Disabled,
        }
    }

    /// The filters.
    pub(crate) fn filters(&self) -> Filters {
        Arc::clone(&self.filters.lock())
    }

    /// What a child gets, and the thread itself when it executes a program.
    pub(crate) fn inherited(&self) -> Self {
        let child = Self::default();
        child.inherit(self);
        child
    }

    /// Takes the mode and the filters of another thread.
    pub(crate) fn inherit(&self, other: &Self) {
        if other.is_on() || self.is_on() {
            self.set(other.mode(), other.filters());
        }
    }

    /// Enters strict mode. `EINVAL` with filters.
    pub(crate) fn make_strict(&self) -> Result<(), Errno> {
        match self.mode() {
            Mode::Filter => Err(Errno::EINVAL),
            Mode::Disabled | Mode::Strict => {
                self.set(Mode::Strict, Filters::default());
                Ok(())
            }
        }
    }

    /// Replaces the filters, which are at least one.
    pub(crate) fn install(&self, filters: Filters) {
        self.set(Mode::Filter, filters);
    }

    fn set(&self, mode: Mode, filters: Filters) {
        *self.filters.lock() = filters;
        self.mode.store(mode as u8, Ordering::Release);
    }

    /// Whether the thread's filters can be replaced by these, another thread's: if they begin with all it has.
    pub(crate) fn can_follow(&self, filters: &[Arc<Program>]) -> bool {
        match self.mode() {
            Mode::Disabled => true,
            Mode::Strict => false,
            Mode::Filter => {
                let own = self.filters();
                own.len() <= filters.len()
                    && own.iter().zip(filters).all(|(a, b)| Arc::ptr_eq(a, b))
            }
        }
    }
}

/// These filters and one more. `ENOMEM` if they are too long together.
pub(crate) fn with(filters: &[Arc<Program>], program: Program) -> Result<Filters, Errno> {
    let others = filters.iter().map(|filter| filter.len() + 4);
    if others.sum::<usize>() + program.len() > MAX_TOTAL {
        return Err(Errno::ENOMEM);
    }
    let new = std::iter::once(Arc::new(program));
    Ok(filters.iter().cloned().chain(new).collect())
}

/// What the filters say about a call: the most restrictive action, with the data of the newest filter that says so.
pub(crate) fn judge(filters: &[Arc<Program>], data: &Data) -> u32 {
    let severity = |verdict: u32| (verdict & action::MASK).cast_signed();
    filters
        .iter()
        .rev()
        .map(|filter| filter.run(data))
        .fold(action::ALLOW, |worst, verdict| {
            if severity(verdict) < severity(worst) {
                verdict
            } else {
                worst
            }
        })
}

#[cfg(test)]
mod tests;
