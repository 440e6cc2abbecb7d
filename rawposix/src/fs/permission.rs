//! Who may do what with a file, where the host does not ask. See path_resolution(7), access(2), credentials(7).
//!
//! The host checks every call of lind's against lind's user. That is the guest's own check as long as the guest is the
//! sandbox's user, for files that are what they are on the host. It is none where lind is root and the guest is not, for a
//! guest that has become another user of the sandbox, and for files that belong to somebody else in the sandbox: there, a
//! [`Guard`] compares the guest's ids with the owner and the mode that stat(2) shows. Guests that are root have none, so
//! theirs is what the host grants.
//!
//! What is opened is looked at by a handle first and then opened by that handle; what is made, removed or moved is looked at
//! by its name, in a directory whose permissions are checked by its handle. Access control lists are not looked at beyond
//! what the host's mode shows of them.

use std::os::fd::AsFd;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rustix::fs::{FileType, Statx};

use super::dir::{FileId, HostDir};
use super::owners::{Ownership, on_host};
use crate::cage::{Credentials, Process};
use crate::sandbox::World;

/// Bits of access(2): what is to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights(u16);

impl Rights {
    pub(crate) const READ: Self = Self(4);
    pub(crate) const WRITE: Self = Self(2);
    /// To execute a file, or to search a directory.
    pub(crate) const EXECUTE: Self = Self(1);
    /// To change the names in a directory.
    pub(crate) const CHANGE_NAMES: Self = Self(3);

    /// From the bits of access(2).
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(u16::try_from(bits & 7).unwrap_or(0))
    }

    /// What open(2) needs with these flags.
    pub(crate) fn to_open(flags: OpenFlags) -> Self {
        let mode = match flags.bits() & OpenFlags::ACCMODE {
            0 => Self::READ,
            mode if mode == OpenFlags::WRONLY.bits() => Self::WRITE,
            _ => Self(Self::READ.0 | Self::WRITE.0),
        };
        if flags.contains(OpenFlags::TRUNC) {
            Self(mode.0 | Self::WRITE.0)
        } else {
            mode
        }
    }
}

/// The ids of a process that is not taken at the host's word.
#[derive(Debug)]
pub(crate) struct Guard<'a> {
    world: &'a World,
    caller: Credentials,
    /// Whether every file is looked at, and not only those that are something else than on the host.
    is_foreign: bool,
}

impl Ownership {
    /// Whether a user may do this. See inode(7).
    fn permits(&self, caller: &Credentials, rights: Rights) -> bool {
        let granted = if caller.user.effective == self.uid {
            self.mode >> 6
        } else if caller.is_member(self.gid) {
            self.mode >> 3
        } else {
            self.mode
        };
        rights.0 & !granted & 7 == 0
    }
}

impl<'a> Guard<'a> {
    /// A guard for these ids; `is_foreign` says whether the host's check is none for them.
    pub(crate) fn new(world: &'a World, caller: Credentials, is_foreign: bool) -> Self {
        Self {
            world,
            caller,
            is_foreign,
        }
    }

    fn see(&self, stat: &Statx) -> Option<Ownership> {
        let seen = self.world.owners.see(stat, self.world.ids);
        (self.is_foreign || seen.is_kept).then_some(seen)
    }

    /// Fails with `EACCES` for what the process may not do with an open file, or with the file of a handle.
    pub(crate) fn check(&self, fd: impl AsFd, rights: Rights) -> Result<(), Errno> {
        match self.see(&on_host(fd, b"")?) {
            Some(seen) if !seen.permits(&self.caller, rights) => Err(Errno::EACCES),
            _ => Ok(()),
        }
    }

    /// The same for what open(2) does. `EPERM` for `O_NOATIME` on the file of another user.
    pub(crate) fn check_open(&self, fd: impl AsFd, flags: OpenFlags) -> Result<(), Errno> {
        let Some(seen) = self.see(&on_host(fd, b"")?) else {
            return Ok(());
        };
        if !seen.permits(&self.caller, Rights::to_open(flags)) {
            return Err(Errno::EACCES);
        }
        if flags.contains(OpenFlags::NOATIME) && !seen.is_owned_by(&self.caller) {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// Whether a name may be made in a directory. `EEXIST` when it is there.
    pub(crate) fn check_new(&self, dir: &HostDir, name: &[u8]) -> Result<(), Errno> {
        if on_host(dir, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        self.check(dir, Rights::CHANGE_NAMES)
    }

    /// Whether a name may be removed from a directory, or given to another file: `EPERM` where the directory is sticky
    /// and neither it nor the file is the caller's. Gives what the host says of the file.
    pub(crate) fn check_removal(&self, dir: &HostDir, name: &[u8]) -> Result<Statx, Errno> {
        const STICKY: u16 = 0o1000;
        let file = on_host(dir, name)?;
        self.check(dir, Rights::CHANGE_NAMES)?;
        if let Some(above) = self.see(&on_host(dir, b"")?) {
            let seen = self.world.owners.see(&file, self.world.ids);
            let is_mine = |owner: &Ownership| owner.uid == self.caller.user.effective;
            if above.mode & STICKY != 0 && !is_mine(&above) && !is_mine(&seen) {
                return Err(Errno::EPERM);
            }
        }
        Ok(file)
    }

    /// Whether a file may get another directory. A directory must be writable for that, since its `..` changes.
    pub(crate) fn check_move(
        &self,
        file: &Statx,
        from: &HostDir,
        name: &[u8],
        to: FileId,
    ) -> Result<(), Errno> {
        let is_directory = FileType::from_raw_mode(file.stx_mode.into()) == FileType::Directory;
        match self.see(&on_host(from, name)?) {
            Some(seen)
                if is_directory && from.id != to && !seen.permits(&self.caller, Rights::WRITE) =>
            {
                Err(Errno::EACCES)
            }
            _ => Ok(()),
        }
    }

    /// Whether a file may get a further name: others' only where they can be read and written and run with nobody's rights.
    /// See `/proc/sys/fs/protected_hardlinks` in proc(5).
    pub(crate) fn check_link(&self, fd: impl AsFd) -> Result<(), Errno> {
        const SET_UID: u16 = 0o4000;
        const RUNS_AS_GROUP: u16 = 0o2010;
        let Some(seen) = self.see(&on_host(fd, b"")?) else {
            return Ok(());
        };
        let is_file = FileType::from_raw_mode(seen.mode.into()) == FileType::RegularFile;
        let runs_as_owner = seen.mode & SET_UID != 0 || seen.mode & RUNS_AS_GROUP == RUNS_AS_GROUP;
        let is_open = seen.permits(&self.caller, Rights(6));
        if seen.uid == self.caller.user.effective || (is_file && !runs_as_owner && is_open) {
            Ok(())
        } else {
            Err(Errno::EPERM)
        }
    }
}

impl Process {
    /// The guard of the process, if it needs one.
    pub(crate) fn guard(&self) -> Option<Guard<'_>> {
        let is_foreign = self.is_foreign();
        if !is_foreign && self.world().owners.is_empty() {
            return None;
        }
        let caller = self.credentials();
        (caller.user.effective != 0).then(|| Guard::new(self.world(), caller, is_foreign))
    }

    /// The guard of the process's real ids, for access(2).
    pub(crate) fn real_guard(&self) -> Option<Guard<'_>> {
        let world = self.world();
        let (user, group) = self.with_credentials(|caller| (caller.user.real, caller.group.real));
        let is_foreign = world.is_foreign(user, group);
        if user == 0 || (!is_foreign && world.owners.is_empty()) {
            return None;
        }
        let mut caller = self.credentials();
        caller.user.effective = user;
        caller.group.effective = group;
        Some(Guard::new(world, caller, is_foreign))
    }
}
