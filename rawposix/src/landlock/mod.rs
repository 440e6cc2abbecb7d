//! Rules that guests make for themselves and for what they start. See landlock(7), landlock_create_ruleset(2),
//! landlock_add_rule(2), landlock_restrict_self(2).
//!
//! A ruleset says which kinds of access it handles, and below which files or for which ports they are allowed. A process
//! that restricts itself gets it as one more layer of its [`Domain`]; a layer refuses what it handles and does not allow.
//! Which files lie below a rule's is asked when they are opened or changed: by the paths that both have at that moment, so
//! that a rule follows what is renamed. A process without a domain pays for one load.
//!
//! Linux keeps a domain for each thread; here it is the process's, so one of several threads restricts all of them.

mod files;
mod ruleset;

use std::sync::Arc;

use bitflags::bitflags;
use rawposix_abi::Errno;

use crate::cage::Process;
pub(crate) use files::Change;
use ruleset::Rules;
pub(crate) use ruleset::Ruleset;

/// What landlock_create_ruleset(2) tells: files (1), files that get another directory (2), truncation (3), TCP (4).
pub(crate) const VERSION: i32 = 4;

/// A domain has no more layers than this; see landlock(7).
const MAX_LAYERS: usize = 16;

bitflags! {
    /// `LANDLOCK_ACCESS_FS_…`
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct FileAccess: u64 {
        const EXECUTE = 1;
        const WRITE_FILE = 1 << 1;
        const READ_FILE = 1 << 2;
        const READ_DIR = 1 << 3;
        const REMOVE_DIR = 1 << 4;
        const REMOVE_FILE = 1 << 5;
        const MAKE_CHAR = 1 << 6;
        const MAKE_DIR = 1 << 7;
        const MAKE_REG = 1 << 8;
        const MAKE_SOCK = 1 << 9;
        const MAKE_FIFO = 1 << 10;
        const MAKE_BLOCK = 1 << 11;
        const MAKE_SYM = 1 << 12;
        const REFER = 1 << 13;
        const TRUNCATE = 1 << 14;
        /// What can be allowed for a file that is no directory.
        const OF_FILES = Self::EXECUTE.bits() | Self::WRITE_FILE.bits() | Self::READ_FILE.bits() | Self::TRUNCATE.bits();
    }

    /// `LANDLOCK_ACCESS_NET_…`
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct PortAccess: u64 {
        const BIND_TCP = 1;
        const CONNECT_TCP = 1 << 1;
    }
}

/// The layers of a process, the oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Domain(Vec<Arc<Rules>>);

impl Domain {
    /// This domain with one more layer. `E2BIG` when there are sixteen.
    pub(crate) fn with(domain: Option<&Self>, ruleset: &Ruleset) -> Result<Self, Errno> {
        let mut layers = domain.map_or_else(Vec::new, |domain| domain.0.clone());
        if layers.len() >= MAX_LAYERS {
            return Err(Errno::E2BIG);
        }
        layers.push(ruleset.now());
        Ok(Self(layers))
    }

    /// Fails with `EACCES` for a port of TCP that a layer does not allow.
    pub(crate) fn check_port(&self, port: u16, wanted: PortAccess) -> Result<(), Errno> {
        let allowed = self.0.iter().all(|layer| layer.allows_port(port, wanted));
        allowed.then_some(()).ok_or(Errno::EACCES)
    }

    /// Whether `other` has all layers of this domain: a process may look only into those that are restricted as it is.
    fn is_part_of(&self, other: Option<&Self>) -> bool {
        let others = other.map_or(&[][..], |other| &other.0);
        self.0.len() <= others.len() && self.0.iter().zip(others).all(|(a, b)| Arc::ptr_eq(a, b))
    }
}

impl Process {
    /// Whether this process's domain lets it look into another one, as ptrace(2) does.
    pub(crate) fn may_reach(&self, other: &Self) -> bool {
        match self.landlock() {
            Some(domain) => domain.is_part_of(other.landlock().as_deref()),
            None => true,
        }
    }
}
