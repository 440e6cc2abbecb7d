//! Process, user and group ids.

use std::fmt;

use rawposix_abi::Errno;

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

impl Ids {
    fn has(self, id: u32) -> bool {
        id == self.real || id == self.effective || id == self.saved
    }

    /// setuid(2) of a process without privileges.
    pub(crate) fn set(&mut self, id: u32) -> Result<(), Errno> {
        if id == KEEP {
            return Err(Errno::EINVAL);
        }
        if id != self.real && id != self.saved {
            return Err(Errno::EPERM);
        }
        self.effective = id;
        Ok(())
    }

    /// setreuid(2) of a process without privileges.
    pub(crate) fn set_real_effective(&mut self, real: u32, effective: u32) -> Result<(), Errno> {
        if real != KEEP && real != self.real && real != self.effective {
            return Err(Errno::EPERM);
        }
        if effective != KEEP && !self.has(effective) {
            return Err(Errno::EPERM);
        }
        let old = *self;
        if real != KEEP {
            self.real = real;
        }
        if effective != KEEP {
            self.effective = effective;
        }
        if real != KEEP || (effective != KEEP && effective != old.real) {
            self.saved = self.effective;
        }
        Ok(())
    }

    /// setresuid(2) of a process without privileges.
    pub(crate) fn set_all(&mut self, real: u32, effective: u32, saved: u32) -> Result<(), Errno> {
        let old = *self;
        if [real, effective, saved]
            .iter()
            .any(|id| *id != KEEP && !old.has(*id))
        {
            return Err(Errno::EPERM);
        }
        if real != KEEP {
            self.real = real;
        }
        if effective != KEEP {
            self.effective = effective;
        }
        if saved != KEEP {
            self.saved = saved;
        }
        Ok(())
    }
}

/// The ids of a process.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) user: Ids,
    pub(crate) group: Ids,
    /// Supplementary groups.
    pub(crate) groups: Vec<u32>,
}

impl Credentials {
    /// A process that has no other ids than these.
    pub(crate) fn new(uid: u32, gid: u32) -> Self {
        let all = |id| Ids {
            real: id,
            effective: id,
            saved: id,
        };
        Self {
            user: all(uid),
            group: all(gid),
            groups: vec![gid],
        }
    }
}

/// How ids of the host's appear in the sandbox, as in a user namespace with one user: the host's user is the sandbox's,
/// root is root, and everybody else is nobody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdMap {
    pub(crate) host_uid: u32,
    pub(crate) host_gid: u32,
    pub(crate) guest_uid: u32,
    pub(crate) guest_gid: u32,
}

/// The id of those who have none in the sandbox.
const NOBODY: u32 = 65534;

impl IdMap {
    /// The sandbox's name of a user of the host's.
    pub(crate) fn guest_uid(self, uid: u32) -> u32 {
        Self::guest(uid, self.host_uid, self.guest_uid)
    }

    /// The sandbox's name of a group of the host's.
    pub(crate) fn guest_gid(self, gid: u32) -> u32 {
        Self::guest(gid, self.host_gid, self.guest_gid)
    }

    /// The host's name of a user of the sandbox, `None` for "as it is"; only the sandbox's own user has one.
    pub(crate) fn host_uid(self, uid: u32) -> Result<Option<u32>, Errno> {
        Self::host(uid, self.host_uid, self.guest_uid)
    }

    /// The host's name of a group of the sandbox.
    pub(crate) fn host_gid(self, gid: u32) -> Result<Option<u32>, Errno> {
        Self::host(gid, self.host_gid, self.guest_gid)
    }

    fn guest(id: u32, host: u32, guest: u32) -> u32 {
        if id == host {
            guest
        } else if id == 0 {
            0
        } else {
            NOBODY
        }
    }

    fn host(id: u32, host: u32, guest: u32) -> Result<Option<u32>, Errno> {
        match id {
            KEEP => Ok(None),
            id if id == guest => Ok(Some(host)),
            _ => Err(Errno::EPERM),
        }
    }
}
