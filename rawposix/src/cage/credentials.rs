//! Users, groups and capabilities of a process, and how they change. See credentials(7), capabilities(7).
//!
//! Root in a sandbox is root as in a container: it has the capabilities that make sense for the sandbox's own processes,
//! and no power over the host.

use rawposix_abi::Errno;

use super::ids::{Ids, KEEP};

/// A set of capabilities, bit n for number n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CapabilitySet(pub(crate) u64);

/// One capability, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capability {
    Chown = 0,
    Fowner = 3,
    Fsetid = 4,
    Kill = 5,
    Setgid = 6,
    Setuid = 7,
    Setpcap = 8,
    NetBindService = 10,
    SysChroot = 18,
}

/// What a process can have at most: what container runtimes give their root, as far as it means something here. Root's files
/// are opened with the rights of lind's user, so there is no right to override their permissions.
pub(crate) const BOUNDING: CapabilitySet = CapabilitySet::EMPTY
    .with(Capability::Chown)
    .with(Capability::Fowner)
    .with(Capability::Fsetid)
    .with(Capability::Kill)
    .with(Capability::Setgid)
    .with(Capability::Setuid)
    .with(Capability::Setpcap)
    .with(Capability::NetBindService)
    .with(Capability::SysChroot);

impl CapabilitySet {
    pub(crate) const EMPTY: Self = Self(0);

    const fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u32)
    }

    /// Whether it has the capability.
    pub(crate) const fn has(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u32 != 0
    }

    /// Whether all of `other` are in it.
    pub(crate) const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

/// The three sets that capget(2) shows, and the one that execve(2) keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) effective: CapabilitySet,
    pub(crate) permitted: CapabilitySet,
    pub(crate) inheritable: CapabilitySet,
    /// Always among the permitted and among the inheritable ones.
    pub(crate) ambient: CapabilitySet,
}

/// The ids and the capabilities of a process.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) user: Ids,
    pub(crate) group: Ids,
    /// Supplementary groups.
    pub(crate) groups: Vec<u32>,
    pub(crate) capabilities: Capabilities,
    /// Whether a change of the user keeps the permitted capabilities: PR_SET_KEEPCAPS.
    pub(crate) keeps_capabilities: bool,
}

impl Credentials {
    /// A process that has no other ids than these.
    pub(crate) fn new(uid: u32, gid: u32) -> Self {
        let all = |id| Ids {
            real: id,
            effective: id,
            saved: id,
        };
        let mut credentials = Self {
            user: all(uid),
            group: all(gid),
            groups: vec![gid],
            capabilities: Capabilities::default(),
            keeps_capabilities: false,
        };
        credentials.execute();
        credentials
    }

    /// Whether the process may use a capability.
    pub(crate) fn can(&self, capability: Capability) -> bool {
        self.capabilities.effective.has(capability)
    }

    /// Whether the process is in a group.
    pub(crate) fn is_member(&self, group: u32) -> bool {
        group == self.group.effective || self.groups.contains(&group)
    }

    /// setuid(2).
    pub(crate) fn set_user(&mut self, id: u32) -> Result<(), Errno> {
        let privileged = self.can(Capability::Setuid);
        self.change_user(|user| user.set(id, privileged))
    }

    /// setreuid(2).
    pub(crate) fn set_users(&mut self, real: u32, effective: u32) -> Result<(), Errno> {
        let privileged = self.can(Capability::Setuid);
        self.change_user(|user| user.set_real_effective(real, effective, privileged))
    }

    /// setresuid(2).
    pub(crate) fn set_all_users(&mut self, ids: [u32; 3]) -> Result<(), Errno> {
        let privileged = self.can(Capability::Setuid);
        self.change_user(|user| user.set_all(ids, privileged))
    }

    /// setgid(2).
    pub(crate) fn set_group(&mut self, id: u32) -> Result<(), Errno> {
        let privileged = self.can(Capability::Setgid);
        self.group.set(id, privileged)
    }

    /// setregid(2).
    pub(crate) fn set_group_ids(&mut self, real: u32, effective: u32) -> Result<(), Errno> {
        let privileged = self.can(Capability::Setgid);
        self.group.set_real_effective(real, effective, privileged)
    }

    /// setresgid(2).
    pub(crate) fn set_all_groups(&mut self, ids: [u32; 3]) -> Result<(), Errno> {
        let privileged = self.can(Capability::Setgid);
        self.group.set_all(ids, privileged)
    }

    fn change_user(
        &mut self,
        change: impl FnOnce(&mut Ids) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let before = self.user;
        change(&mut self.user)?;
        let is_root = |ids: Ids| [ids.real, ids.effective, ids.saved].contains(&0);
        if is_root(before) && !is_root(self.user) {
            self.capabilities.ambient = CapabilitySet::EMPTY;
            if !self.keeps_capabilities {
                self.capabilities.permitted = CapabilitySet::EMPTY;
                self.capabilities.effective = CapabilitySet::EMPTY;
            }
        }
        match (before.effective, self.user.effective) {
            (0, 1..) => self.capabilities.effective = CapabilitySet::EMPTY,
            (1.., 0) => self.capabilities.effective = self.capabilities.permitted,
            _ => {}
        }
        Ok(())
    }

    /// capset(2).
    pub(crate) fn set_capabilities(&mut self, wanted: Capabilities) -> Result<(), Errno> {
        let now = self.capabilities;
        let inheritable = CapabilitySet(now.inheritable.0 | BOUNDING.0);
        let inheritable = if self.can(Capability::Setpcap) {
            inheritable
        } else {
            CapabilitySet(now.inheritable.0 | now.permitted.0)
        };
        let allowed = now.permitted.contains(wanted.permitted)
            && wanted.permitted.contains(wanted.effective)
            && inheritable.contains(wanted.inheritable);
        if !allowed {
            return Err(Errno::EPERM);
        }
        let lasting = wanted.permitted.0 & wanted.inheritable.0;
        self.capabilities = Capabilities {
            ambient: CapabilitySet(now.ambient.0 & lasting),
            ..wanted
        };
        Ok(())
    }

    /// Makes a capability ambient. `EPERM` unless it is permitted and inheritable.
    pub(crate) fn raise_ambient(&mut self, wanted: CapabilitySet) -> Result<(), Errno> {
        let now = &mut self.capabilities;
        if !now.permitted.contains(wanted) || !now.inheritable.contains(wanted) {
            return Err(Errno::EPERM);
        }
        now.ambient.0 |= wanted.0;
        Ok(())
    }

    /// What execve(2) does: a program of root's gets root's capabilities, another one the ambient ones.
    pub(crate) fn execute(&mut self) {
        self.user.saved = self.user.effective;
        self.group.saved = self.group.effective;
        self.keeps_capabilities = false;
        let is_root = self.user.real == 0 || self.user.effective == 0;
        let ambient = self.capabilities.ambient;
        let permitted = if is_root { BOUNDING } else { ambient };
        let effective = if self.user.effective == 0 {
            permitted
        } else {
            ambient
        };
        self.capabilities.permitted = permitted;
        self.capabilities.effective = effective;
    }
}

impl Ids {
    fn has(self, id: u32) -> bool {
        id == self.real || id == self.effective || id == self.saved
    }

    fn set(&mut self, id: u32, privileged: bool) -> Result<(), Errno> {
        if id == KEEP {
            return Err(Errno::EINVAL);
        }
        if privileged {
            self.real = id;
            self.saved = id;
        } else if id != self.real && id != self.saved {
            return Err(Errno::EPERM);
        }
        self.effective = id;
        Ok(())
    }

    fn set_real_effective(
        &mut self,
        real: u32,
        effective: u32,
        privileged: bool,
    ) -> Result<(), Errno> {
        let may_be_real = real == KEEP || real == self.real || real == self.effective;
        let may_be_effective = effective == KEEP || self.has(effective);
        if !(privileged || may_be_real && may_be_effective) {
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

    fn set_all(&mut self, ids: [u32; 3], privileged: bool) -> Result<(), Errno> {
        let old = *self;
        if !privileged && ids.iter().any(|id| *id != KEEP && !old.has(*id)) {
            return Err(Errno::EPERM);
        }
        let places = [&mut self.real, &mut self.effective, &mut self.saved];
        for (place, id) in places.into_iter().zip(ids) {
            if id != KEEP {
                *place = id;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_without_privileges_move_between_their_own_ids() {
        let mut user = Credentials::new(5, 5);
        assert_eq!(user.capabilities, Capabilities::default());
        assert_eq!(user.set_user(0), Err(Errno::EPERM));
        assert_eq!(user.set_all_users([KEEP, 7, KEEP]), Err(Errno::EPERM));
        user.set_all_users([5, KEEP, 5]).unwrap();
        assert_eq!(user.set_user(KEEP), Err(Errno::EINVAL));
    }

    #[test]
    fn root_becomes_somebody_for_good_or_for_a_while() {
        let mut root = Credentials::new(0, 0);
        assert_eq!(root.capabilities.effective, BOUNDING);
        root.set_users(KEEP, 5).unwrap();
        assert_eq!(root.capabilities.effective, CapabilitySet::EMPTY);
        assert_eq!(root.capabilities.permitted, BOUNDING);
        assert_eq!(root.set_group(5), Err(Errno::EPERM));
        root.set_users(KEEP, 0).unwrap();
        root.set_group(5).unwrap();
        root.set_user(5).unwrap();
        assert_eq!(root.capabilities, Capabilities::default());
        assert_eq!(root.set_user(0), Err(Errno::EPERM));
    }

    #[test]
    fn capabilities_can_be_kept_and_given_up() {
        let mut root = Credentials::new(0, 0);
        root.keeps_capabilities = true;
        root.set_user(5).unwrap();
        let kept = root.capabilities;
        assert_eq!(
            (kept.permitted, kept.effective),
            (BOUNDING, CapabilitySet::EMPTY)
        );
        let wanted = Capabilities {
            effective: CapabilitySet::EMPTY.with(Capability::Kill),
            permitted: CapabilitySet::EMPTY.with(Capability::Kill),
            ..kept
        };
        root.set_capabilities(wanted).unwrap();
        assert!(root.can(Capability::Kill) && !root.can(Capability::Setuid));
        assert_eq!(root.set_capabilities(kept), Err(Errno::EPERM));
        root.execute();
        assert_eq!(root.capabilities, Capabilities::default());
    }
}
