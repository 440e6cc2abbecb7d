//! Process, user and group ids, and the host's names of them.

use std::fmt;

use rawposix_abi::Errno;

use crate::config::HostUsers;

/// A process or thread id of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pid(pub(crate) i32);

impl Pid {
    /// No process.
    pub(crate) const NONE: Self = Self(0);
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The id that an argument leaves as it is.
pub(crate) const KEEP: u32 = u32::MAX;

/// Real, effective and saved id, of a user or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) real: u32,
    pub(crate) effective: u32,
    pub(crate) saved: u32,
}

/// How ids of the host's appear in the sandbox, as in a user namespace with one user: the host's user is the sandbox's,
/// root is root, and everybody else is nobody. Or, as in a container, all are the same: see [`HostUsers`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdMap {
    pub(crate) host_uid: u32,
    pub(crate) host_gid: u32,
    pub(crate) guest_uid: u32,
    pub(crate) guest_gid: u32,
    pub(crate) users: HostUsers,
}

/// The id of those who have none in the sandbox.
const NOBODY: u32 = 65534;

impl IdMap {
    /// The sandbox's name of a user of the host's.
    pub(crate) fn guest_uid(self, uid: u32) -> u32 {
        self.guest(uid, self.host_uid, self.guest_uid)
    }

    /// The sandbox's name of a group of the host's.
    pub(crate) fn guest_gid(self, gid: u32) -> u32 {
        self.guest(gid, self.host_gid, self.guest_gid)
    }

    /// The host's name of a user of the sandbox, `None` for "as it is"; only the sandbox's own user has one.
    pub(crate) fn host_uid(self, uid: u32) -> Result<Option<u32>, Errno> {
        self.host(uid, self.host_uid, self.guest_uid)
    }

    /// The host's name of a group of the sandbox.
    pub(crate) fn host_gid(self, gid: u32) -> Result<Option<u32>, Errno> {
        self.host(gid, self.host_gid, self.guest_gid)
    }

    /// Whether users of the host's have the same numbers in the sandbox.
    pub(crate) fn are_same(self) -> bool {
        self.users == HostUsers::Same
    }

    fn guest(self, id: u32, host: u32, guest: u32) -> u32 {
        if self.are_same() {
            id
        } else if id == host {
            guest
        } else if id == 0 {
            0
        } else {
            NOBODY
        }
    }

    fn host(self, id: u32, host: u32, guest: u32) -> Result<Option<u32>, Errno> {
        match id {
            KEEP => Ok(None),
            id if self.are_same() => (id == guest).then_some(Some(id)).ok_or(Errno::EPERM),
            id if id == guest => Ok(Some(host)),
            _ => Err(Errno::EPERM),
        }
    }
}
