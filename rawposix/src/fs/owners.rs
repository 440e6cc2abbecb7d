//! Owners and set-id bits that only the sandbox gives to files.
//!
//! On the host every file that a guest makes is that of lind's user, who can give none away; and no file may ever run
//! with that user's rights. So what chown(2) and chmod(2) change beyond that is kept here, by the host's file, and stat(2)
//! shows it to all processes of the sandbox. It ends with the sandbox: the host's files keep their permissions and times,
//! not their owners. A set-user-ID program that is executed runs as whoever executes it.
//!
//! The owner decides who may change a file's permissions, owner and times; and who may open it, where the host does not
//! decide that: see `permission`.
//!
//! Where users of the host's have the same numbers in the sandbox, what the sandbox's first user makes is that user's on the
//! host as well.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Statx, StatxFlags, Uid, chownat};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::dir::{FileId, HostDir};
use crate::cage::{Capability, Credentials, IdMap, KEEP, Process};

/// `S_ISUID`, `S_ISGID` and `S_IXGRP` of inode(7).
const SET_UID: u16 = 0o4000;
const SET_GID: u16 = 0o2000;
const GROUP_EXECUTES: u16 = 0o010;
/// The set-id bits, which a file on the host never has.
const SET_IDS: u16 = SET_UID | SET_GID;
/// As many files can be something else than they are on the host; the next one is `ENOSPC`.
const MOST: usize = 1 << 18;

/// Who owns a file and what its mode is, as the sandbox sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Type and permissions.
    pub(crate) mode: u16,
    /// Whether it belongs to lind's user on the host, or to the sandbox's if that is another one: the sandbox has no power
    /// over others.
    is_ours: bool,
    /// Whether it is something else than on the host.
    pub(crate) is_kept: bool,
}

/// What is kept of a file.
#[derive(Clone, Copy, Debug)]
struct Kept {
    uid: u32,
    gid: u32,
    set_ids: u16,
    born: Birth,
    /// Its last name is gone; it may still be open.
    is_nameless: bool,
}

/// When a file was made, which tells it from a later one with the same number; nothing where the host does not say.
type Birth = Option<(i64, u32)>;

fn birth(stat: &Statx) -> Birth {
    let says = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    says.then_some((stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec))
}

fn nanoseconds(time: Timespec) -> u32 {
    u32::try_from(time.tv_nsec).unwrap_or(0)
}

fn id(stat: &Statx) -> FileId {
    FileId {
        device: rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor),
        inode: stat.stx_ino,
    }
}

fn is_directory(mode: u16) -> bool {
    FileType::from_raw_mode(mode.into()) == FileType::Directory
}

/// The files of a sandbox that are not what they are on the host.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    files: Mutex<HashMap<FileId, Kept>>,
    /// How many there are.
    count: AtomicUsize,
}

impl Owners {
    /// Whether all files are as on the host, which they are in most sandboxes.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// What the sandbox sees of a file, from the host's answer; it must have the time of birth.
    pub(crate) fn see(&self, stat: &Statx, ids: IdMap) -> Ownership {
        let on_host = Ownership {
            uid: ids.guest_uid(stat.stx_uid),
            gid: ids.guest_gid(stat.stx_gid),
            mode: stat.stx_mode,
            is_ours: stat.stx_uid == ids.host_uid
                || (ids.are_same() && stat.stx_uid == ids.guest_uid),
            is_kept: false,
        };
        if self.is_empty() {
            return on_host;
        }
        match self.files.lock().get(&id(stat)) {
            Some(kept) if kept.born == birth(stat) => Ownership {
                uid: kept.uid,
                gid: kept.gid,
                mode: on_host.mode | kept.set_ids,
                is_kept: true,
                ..on_host
            },
            _ => on_host,
        }
    }

    /// Lets a file have this ownership from now on; `stat` is what the host says of it. `ENOSPC` when there are too many.
    pub(crate) fn set(&self, stat: &Statx, ids: IdMap, wanted: Ownership) -> Result<(), Errno> {
        let kept = Kept {
            uid: wanted.uid,
            gid: wanted.gid,
            set_ids: if is_directory(stat.stx_mode) {
                0
            } else {
                wanted.mode & SET_IDS
            },
            born: birth(stat),
            is_nameless: stat.stx_nlink == 0,
        };
        let is_plain = kept.set_ids == 0
            && kept.uid == ids.guest_uid(stat.stx_uid)
            && kept.gid == ids.guest_gid(stat.stx_gid);
        let mut files = self.files.lock();
        if is_plain {
            files.remove(&id(stat));
        } else {
            if files.len() >= MOST && !files.contains_key(&id(stat)) {
                files.retain(|_, kept| !kept.is_nameless);
                if files.len() >= MOST {
                    return Err(Errno::ENOSPC);
                }
            }
            files.insert(id(stat), kept);
        }
        self.count.store(files.len(), Ordering::Relaxed);
        Ok(())
    }

    /// The last name of a file is gone. Where a later file with its number could be taken for it, nothing is kept.
    pub(crate) fn forget(&self, file: FileId) {
        if self.is_empty() {
            return;
        }
        let mut files = self.files.lock();
        match files.get_mut(&file) {
            Some(kept) if kept.born.is_some() => kept.is_nameless = true,
            _ => {
                files.remove(&file);
            }
        }
        self.count.store(files.len(), Ordering::Relaxed);
    }

    fn has(&self, file: FileId) -> bool {
        !self.is_empty() && self.files.lock().contains_key(&file)
    }
}

/// What the host says of a file, with its time of birth.
pub(crate) fn on_host(fd: impl AsFd, name: &[u8]) -> Result<Statx, Errno> {
    let flags = if name.is_empty() {
        AtFlags::EMPTY_PATH
    } else {
        AtFlags::SYMLINK_NOFOLLOW
    };
    let asked = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    Ok(rustix::fs::statx(fd, name, flags, asked)?)
}

impl Ownership {
    /// Whether a process may change the permissions and times of the file. See CAP_FOWNER in capabilities(7).
    pub(crate) fn is_owned_by(&self, caller: &Credentials) -> bool {
        caller.user.effective == self.uid || (self.is_ours && caller.can(Capability::Fowner))
    }

    /// Whether a process that is no member of the file's group loses the bit that runs a file with it.
    fn keeps_group_bit(&self, caller: &Credentials) -> bool {
        caller.is_member(self.gid) || (self.is_ours && caller.can(Capability::Fsetid))
    }

    /// chmod(2). `EPERM` for others than the owner.
    pub(crate) fn with_mode(self, caller: &Credentials, mode: u16) -> Result<Self, Errno> {
        if !self.is_owned_by(caller) {
            return Err(Errno::EPERM);
        }
        let mut mode = mode & 0o7777;
        if !self.keeps_group_bit(caller) {
            mode &= !SET_GID;
        }
        let mode = (self.mode & !0o7777) | mode;
        Ok(Self { mode, ..self })
    }

    /// chown(2). `EPERM` for what needs `CAP_CHOWN`; the set-id bits of a file are cleared.
    pub(crate) fn with_owner(
        self,
        caller: &Credentials,
        owner: u32,
        group: u32,
    ) -> Result<Self, Errno> {
        let is_owner = caller.user.effective == self.uid;
        let gives = self.is_ours && caller.can(Capability::Chown);
        let may_own = owner == KEEP || gives || (is_owner && owner == self.uid);
        let may_share = group == KEEP
            || gives
            || (is_owner && (group == self.gid || self.is_ours && caller.is_member(group)));
        if !(may_own && may_share) {
            return Err(Errno::EPERM);
        }
        let mut mode = self.mode;
        if !is_directory(mode) {
            mode &= !SET_UID;
            if mode & GROUP_EXECUTES != 0 || !self.keeps_group_bit(caller) {
                mode &= !SET_GID;
            }
        }
        let or = |id: u32, present: u32| if id == KEEP { present } else { id };
        Ok(Self {
            uid: or(owner, self.uid),
            gid: or(group, self.gid),
            mode,
            ..self
        })
    }
}

/// The owner of a file that is about to be made, where it is another one than on the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maker {
    uid: u32,
    gid: u32,
    /// The set-id bits that it is made with.
    set_ids: u16,
    /// No file that was there before is it.
    since: Timespec,
}

impl Maker {
    /// Who makes a file in a directory; nothing where the host's answer will be right.
    pub(crate) fn of(process: &Process, dir: &HostDir, mode: u32) -> Result<Option<Self>, Errno> {
        let world = process.world();
        let (uid, gid) =
            process.with_credentials(|caller| (caller.user.effective, caller.group.effective));
        let set_ids = u16::try_from(mode & u32::from(SET_IDS)).unwrap_or(0);
        let ids = world.ids;
        let on_host = (ids.guest_uid(ids.host_uid), ids.guest_gid(ids.host_gid));
        let is_plain = (uid, gid) == on_host && set_ids == 0;
        if is_plain && !world.owners.has(dir.id) {
            return Ok(None);
        }
        let above = world.owners.see(&self::on_host(dir, b"")?, ids);
        let gid = if above.mode & SET_GID != 0 {
            above.gid
        } else {
            gid
        };
        Ok(Some(Self {
            uid,
            gid,
            set_ids,
            since: clock_gettime(ClockId::RealtimeCoarse),
        }))
    }

    /// The file has been made: it is the one with this name in the directory, or the directory's handle itself.
    pub(crate) fn made(self, process: &Process, fd: impl AsFd, name: &[u8]) -> Result<(), Errno> {
        if name.is_empty() {
            return self.keep(process, fd);
        }
        // Another guest may have put another file there meanwhile; that is nobody's gift.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(fd, name, flags, Mode::empty())?;
        match birth(&on_host(&handle, b"")?) {
            Some(born) if born < (self.since.tv_sec, nanoseconds(self.since)) => Ok(()),
            _ => self.keep(process, handle),
        }
    }

    fn keep(self, process: &Process, fd: impl AsFd) -> Result<(), Errno> {
        let world = process.world();
        let mut stat = on_host(&fd, b"")?;
        if world.ids.are_same() && self.uid == world.uid {
            let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
            // A host where lind's root may not do that does not know the user.
            if chownat(&fd, c"", Some(uid), Some(gid), AtFlags::EMPTY_PATH).is_ok() {
                stat = on_host(&fd, b"")?;
            }
        }
        let file = Ownership {
            uid: self.uid,
            gid: self.gid,
            mode: stat.stx_mode | self.set_ids,
            is_ours: true,
            is_kept: true,
        };
        let caller = process.credentials();
        let mode = file.with_mode(&caller, file.mode).unwrap_or(file).mode;
        world
            .owners
            .set(&stat, world.ids, Ownership { mode, ..file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Ownership = Ownership {
        uid: 5,
        gid: 6,
        mode: 0o106_755,
        is_ours: true,
        is_kept: false,
    };

    #[test]
    fn root_gives_files_away_and_they_lose_their_powers() {
        let root = Credentials::new(0, 0);
        let given = FILE.with_owner(&root, 7, KEEP).unwrap();
        assert_eq!((given.uid, given.gid, given.mode), (7, 6, 0o100_755));
        let directory = Ownership {
            mode: 0o042_755,
            ..FILE
        };
        let given = directory.with_owner(&root, 7, 8).unwrap();
        assert_eq!((given.uid, given.gid, given.mode), (7, 8, 0o042_755));
        let of_another_user = Ownership {
            is_ours: false,
            ..FILE
        };
        assert_eq!(of_another_user.with_owner(&root, 7, 8), Err(Errno::EPERM));
        assert_eq!(of_another_user.with_mode(&root, 0o644), Err(Errno::EPERM));
    }

    #[test]
    fn users_give_files_to_groups_of_theirs() {
        let mut user = Credentials::new(5, 5);
        user.groups = vec![9];
        assert_eq!(FILE.with_owner(&user, 7, KEEP), Err(Errno::EPERM));
        assert_eq!(FILE.with_owner(&user, KEEP, 8), Err(Errno::EPERM));
        assert_eq!(FILE.with_owner(&user, 5, 9).unwrap().gid, 9);
        let other = Credentials::new(8, 8);
        assert_eq!(FILE.with_owner(&other, 5, 6), Err(Errno::EPERM));
        assert_eq!(FILE.with_mode(&other, 0o600), Err(Errno::EPERM));
        // No member of the group lets files run with it.
        assert_eq!(FILE.with_mode(&user, 0o6711).unwrap().mode, 0o104_711);
    }
}
