//! A name that a call makes, removes or moves: whether it can be changed, who may, and what is kept of the file behind it.

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_memory::GuestCStr;
use rustix::fs::FileType;

use crate::fs::dir::{Dir, FileId, HostDir};
use crate::fs::node::Node;
use crate::fs::owners::{Maker, on_host};
use crate::fs::quota::Inode;
use crate::fs::walk::Entry;
use crate::landlock::{Change, FileAccess};
use crate::thread::Thread;

/// A name in a host directory that may be changed: what is no host directory, a read-only mount or a mount point is
/// not. `exists` is the answer for a name that is there already in a place that cannot change.
pub(super) struct Changeable {
    pub(super) dir: Arc<HostDir>,
    pub(super) name: Vec<u8>,
}

impl Changeable {
    /// The name without a slash behind it.
    pub(super) fn plain_name(&self) -> &[u8] {
        self.name.strip_suffix(b"/").unwrap_or(&self.name)
    }
}

pub(super) fn changeable(
    thread: &Thread,
    entry: &Entry,
    exists: Option<Errno>,
) -> Result<Changeable, Errno> {
    let mounts = thread.process.mounts();
    let present = || thread.walk().lookup(&entry.dir, &entry.name).map(|_| ());
    let Dir::Host(host) = &entry.dir else {
        // A synthetic tree: what is there is there for good, and nothing is added.
        return match (present(), exists) {
            (Ok(()), Some(errno)) => Err(errno),
            (Ok(()), None) => Err(Errno::EBUSY),
            (Err(_), Some(_)) => Err(match &entry.dir {
                Dir::Proc(_) => Errno::ENOENT,
                Dir::Terminals => Errno::EPERM,
                Dir::Static(_) | Dir::Host(_) => Errno::EROFS,
            }),
            (Err(errno), None) => Err(errno),
        };
    };
    if mounts.covering(host, &entry.name).is_some() {
        return Err(exists.unwrap_or(Errno::EBUSY));
    }
    if mounts.is_read_only(host.mount) {
        return match (present(), exists) {
            (Ok(()), Some(errno)) => Err(errno),
            (Err(Errno::ENOENT), None) => Err(Errno::ENOENT),
            _ => Err(Errno::EROFS),
        };
    }
    let mut name = entry.name.clone();
    if entry.slash {
        name.push(b'/');
    }
    let dir = Arc::clone(host);
    Ok(Changeable { dir, name })
}

pub(super) fn new_entry(thread: &Thread, dirfd: i32, path: GuestCStr) -> Result<Changeable, Errno> {
    let path = thread.read_path(path)?;
    let entry = thread.entry(dirfd, &path, Errno::EEXIST)?;
    changeable(thread, &entry, Some(Errno::EEXIST))
}

/// Makes a file of the caller's; of `mode`, its set-id bits count.
pub(super) fn make(
    thread: &Thread,
    place: &Changeable,
    (kind, mode): (FileType, u32),
    make: impl FnOnce(&[u8]) -> rustix::io::Result<()>,
) -> Result<(), Errno> {
    check_new(thread, place)?;
    if thread.process.is_restricted() {
        if on_host(&place.dir, place.plain_name()).is_ok() {
            return Err(Errno::EEXIST);
        }
        check_domain(thread, place, FileAccess::to_make(kind))?;
    }
    let maker = Maker::of(&thread.process, &place.dir, mode)?;
    within_inodes(thread, place, || make(&place.name))?;
    match maker {
        Some(maker) => maker.made(&thread.process, &place.dir, place.plain_name()),
        None => Ok(()),
    }
}

/// Whether the caller may make a name, where the host does not ask.
pub(super) fn check_new(thread: &Thread, place: &Changeable) -> Result<(), Errno> {
    match thread.process.guard() {
        Some(guard) => guard.check_new(&place.dir, place.plain_name()),
        None => Ok(()),
    }
}

/// Whether the caller's domain lets it do this in the directory.
pub(super) fn check_domain(
    thread: &Thread,
    place: &Changeable,
    wanted: FileAccess,
) -> Result<(), Errno> {
    let dir = Dir::Host(Arc::clone(&place.dir));
    thread.process.check_domain_in(&dir, wanted)
}

/// A name and what kind of file it is of, for what the caller's domain says of two of them.
pub(super) fn change(thread: &Thread, place: &Changeable) -> Change {
    let dir = Dir::Host(Arc::clone(&place.dir));
    let file = on_host(&place.dir, place.plain_name()).ok();
    let kind = file.map(|file| FileType::from_raw_mode(file.stx_mode.into()));
    Change::at(thread.process.mounts(), &dir, place.plain_name(), kind)
}

/// Makes a name, if there is an inode for it; that is the last thing that can be wrong.
pub(super) fn within_inodes(
    thread: &Thread,
    place: &Changeable,
    make: impl FnOnce() -> rustix::io::Result<()>,
) -> Result<(), Errno> {
    match thread.process.mounts().take_inode(place.dir.mount) {
        Ok(inode) => {
            make()?;
            inode.into_iter().for_each(Inode::keep);
            Ok(())
        }
        Err(errno) => match on_host(&place.dir, place.plain_name()) {
            Ok(_) => Err(Errno::EEXIST),
            Err(_) => Err(errno),
        },
    }
}

/// The file behind a name that is about to be removed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) file: FileId,
    /// It has no other name.
    pub(super) is_last: bool,
}

/// The file behind a name, if rawposix keeps something of files.
pub(super) fn named(thread: &Thread, place: &Changeable) -> Option<Named> {
    let quota = thread.process.mounts().quota(place.dir.mount);
    if thread.world.owners.is_empty() && quota.is_none() {
        return None;
    }
    let stat = on_host(&place.dir, place.plain_name()).ok()?;
    let is_directory = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Directory;
    Some(Named {
        file: FileId {
            device: rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
        },
        is_last: stat.stx_nlink <= 1 || is_directory,
    })
}

/// The name of a file is gone.
pub(super) fn forget(thread: &Thread, place: &Changeable, named: Option<Named>) {
    let Some(Named { file, is_last }) = named else {
        return;
    };
    let quota = thread.process.mounts().quota(place.dir.mount);
    if is_last {
        thread.world.owners.forget(file);
    }
    match quota {
        Some(quota) if is_last => quota.unnamed(file.inode),
        Some(quota) => quota.lost_name(),
        None => {}
    }
}

/// Whether something is mounted in the directory with this name; it must stay.
pub(super) fn has_mounts(thread: &Thread, place: &Changeable) -> bool {
    match thread
        .walk()
        .lookup(&Dir::Host(Arc::clone(&place.dir)), place.plain_name())
    {
        Ok(Node::Dir(Dir::Host(dir))) => thread.process.mounts().covered(&dir).is_some(),
        _ => false,
    }
}
