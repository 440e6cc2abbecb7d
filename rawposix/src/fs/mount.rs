//! The mount table: which directory stands at which name. It is made once and never changes.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rawposix_abi::Errno;

use super::device::Device;
use super::dir::{Dir, FileId, HostDir};
use super::private::PrivateDir;
use super::procfs::ProcDir;
use super::quota::{Inode, Quota};
use crate::config::Access;

/// A place in the table of mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MountId(pub(crate) usize);

impl MountId {
    /// The mount of the sandbox's root.
    pub(crate) const ROOT: Self = Self(0);
}

/// A place in the table of synthetic directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StaticId(pub(crate) usize);

/// What is mounted.
#[derive(Clone, Debug)]
pub(crate) enum MountRoot {
    Dir(Arc<HostDir>),
    /// A directory that is made when it is first used.
    Private(Arc<PrivateDir>),
    /// A single file of the host's, by an `O_PATH` handle.
    File(Arc<OwnedFd>),
    Static(StaticId),
    Proc,
    /// The sandbox's terminals.
    Terminals,
}

/// One mount.
#[derive(Debug)]
pub(crate) struct MountPoint {
    pub(crate) root: MountRoot,
    /// The directory it is mounted in; `None` for the root.
    pub(crate) parent: Option<Dir>,
    /// Its name there.
    pub(crate) name: Vec<u8>,
    pub(crate) access: Access,
    /// What is mounted inside it, by the host directory that holds the name.
    covers: HashMap<FileId, BTreeMap<Vec<u8>, MountId>>,
}

impl MountPoint {
    /// The host directory at its root, if it is one.
    pub(crate) fn host_root(&self) -> Result<Option<&Arc<HostDir>>, Errno> {
        match &self.root {
            MountRoot::Dir(dir) => Ok(Some(dir)),
            MountRoot::Private(dir) => dir.get().map(Some),
            MountRoot::File(_) | MountRoot::Static(_) | MountRoot::Proc | MountRoot::Terminals => {
                Ok(None)
            }
        }
    }
}

/// An entry of a synthetic directory.
#[derive(Clone, Debug)]
pub(crate) enum StaticEntry {
    Dir(StaticId),
    Mount(MountId),
    Link(Vec<u8>),
    Device(Device),
}

/// What is above a synthetic directory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Above {
    Dir(StaticId),
    Mount(MountId),
}

/// A synthetic directory.
#[derive(Debug)]
pub(crate) struct StaticDir {
    pub(crate) entries: BTreeMap<Vec<u8>, StaticEntry>,
    pub(crate) above: Above,
    /// Its name in the synthetic directory above it.
    pub(crate) name: Vec<u8>,
}

/// Fails for a file of the host's `/proc`.
pub(crate) fn refuse_procfs(fd: impl AsFd) -> Result<(), Errno> {
    const PROC_SUPER_MAGIC: i64 = 0x9fa0;
    if rustix::fs::fstatfs(fd)?.f_type == PROC_SUPER_MAGIC {
        Err(Errno::EACCES)
    } else {
        Ok(())
    }
}

/// All mounts and synthetic directories.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    points: Vec<MountPoint>,
    statics: Vec<StaticDir>,
}

impl Mounts {
    /// The mount with this id. Ids are made by this table only; a foreign one is an error, not a panic.
    pub(crate) fn point(&self, id: MountId) -> Result<&MountPoint, Errno> {
        self.points.get(id.0).ok_or(Errno::EIO)
    }

    /// The synthetic directory with this id.
    pub(crate) fn tree(&self, id: StaticId) -> Result<&StaticDir, Errno> {
        self.statics.get(id.0).ok_or(Errno::EIO)
    }

    /// All mounts with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (MountId, &MountPoint)> {
        self.points
            .iter()
            .enumerate()
            .map(|(i, point)| (MountId(i), point))
    }

    /// The directory at the root of a mount; `None` when a file is mounted.
    pub(crate) fn root_of(&self, id: MountId) -> Result<Option<Dir>, Errno> {
        Ok(match &self.point(id)?.root {
            MountRoot::Dir(dir) => Some(Dir::Host(Arc::clone(dir))),
            MountRoot::Private(dir) => Some(Dir::Host(Arc::clone(dir.get()?))),
            MountRoot::Static(tree) => Some(Dir::Static(*tree)),
            MountRoot::Proc => Some(Dir::Proc(ProcDir::Root)),
            MountRoot::Terminals => Some(Dir::Terminals),
            MountRoot::File(_) => None,
        })
    }

    /// The sandbox's root directory.
    pub(crate) fn root(&self) -> Result<Dir, Errno> {
        self.root_of(MountId::ROOT)?.ok_or(Errno::ENOTDIR)
    }

    /// The mount that a directory belongs to.
    pub(crate) fn mount_of(&self, dir: &Dir) -> Option<MountId> {
        let is_root = |wanted: fn(&MountRoot) -> bool| {
            let mut points = self.iter();
            points
                .find(|(_, point)| wanted(&point.root))
                .map(|(id, _)| id)
        };
        match dir {
            Dir::Host(host) => Some(host.mount),
            Dir::Proc(_) => is_root(|root| matches!(root, MountRoot::Proc)),
            Dir::Terminals => self.terminals().ok(),
            Dir::Static(tree) => match self.tree(*tree).ok()?.above {
                Above::Mount(mount) => Some(mount),
                Above::Dir(above) => self.mount_of(&Dir::Static(above)),
            },
        }
    }

    /// The mount of the sandbox's terminals.
    pub(crate) fn terminals(&self) -> Result<MountId, Errno> {
        let mut points = self.iter();
        let found = points.find(|(_, point)| matches!(point.root, MountRoot::Terminals));
        found.map(|(id, _)| id).ok_or(Errno::ENOENT)
    }

    /// What is mounted over `name` of a host directory.
    pub(crate) fn covering(&self, dir: &HostDir, name: &[u8]) -> Option<MountId> {
        self.covered(dir)?.get(name).copied()
    }

    /// All that is mounted directly inside a host directory.
    pub(crate) fn covered(&self, dir: &HostDir) -> Option<&BTreeMap<Vec<u8>, MountId>> {
        let covers = &self.points.get(dir.mount.0)?.covers;
        if covers.is_empty() {
            None
        } else {
            covers.get(&dir.id)
        }
    }

    /// Whether several names can be walked from `dir` at once: no mount can lie on the way.
    pub(crate) fn is_plain_below(&self, dir: &HostDir, first: &[u8]) -> bool {
        let Some(point) = self.points.get(dir.mount.0) else {
            return false;
        };
        let Ok(Some(root)) = point.host_root() else {
            return false;
        };
        match point.covers.len() {
            0 => true,
            1 => match point.covers.get(&root.id) {
                Some(names) => dir.id != root.id || !names.contains_key(first),
                None => false,
            },
            _ => false,
        }
    }

    /// How much a private directory holds, if that is limited.
    pub(crate) fn quota(&self, id: MountId) -> Option<&Arc<Quota>> {
        match &self.points.get(id.0)?.root {
            MountRoot::Private(dir) => dir.quota(),
            _ => None,
        }
    }

    /// An inode for a new name in a directory; `ENOSPC` where a private directory has no more.
    pub(crate) fn take_inode(&self, id: MountId) -> Result<Option<Inode>, Errno> {
        self.quota(id).map(Quota::take_inode).transpose()
    }

    /// The number of the device that a private directory is, of which the major number is 0: each is a file system of its
    /// own.
    pub(crate) fn private_device(&self, id: MountId) -> Option<u32> {
        const FIRST: u32 = 0x10;
        let number = u32::try_from(id.0).unwrap_or(0);
        self.is_private(id).then_some(FIRST + number)
    }

    /// Whether only the sandbox has what is mounted.
    pub(crate) fn is_private(&self, id: MountId) -> bool {
        let point = self.points.get(id.0);
        point.is_some_and(|point| matches!(point.root, MountRoot::Private(_)))
    }

    /// Whether changes through this mount are refused.
    pub(crate) fn is_read_only(&self, id: MountId) -> bool {
        self.points
            .get(id.0)
            .is_none_or(|point| point.access == Access::ReadOnly)
    }

    /// Fails for a file of the host's `/proc`, whatever was granted: through it a guest would reach the memory of
    /// the host process.
    pub(crate) fn admit(&self, mount: MountId, fd: impl AsFd, device: u64) -> Result<(), Errno> {
        let root = self.point(mount)?.host_root()?;
        let known = root.is_some_and(|root| root.id.device == device);
        // The root was looked at when it was mounted; another device is another file system.
        if known || rustix::fs::major(device) != 0 {
            Ok(())
        } else {
            refuse_procfs(fd)
        }
    }

    /// Adds a mount without a place: the root, or one that `attach` places.
    pub(crate) fn add_mount(&mut self, root: MountRoot, access: Access) -> MountId {
        let id = MountId(self.points.len());
        self.points.push(MountPoint {
            root,
            parent: None,
            name: Vec::new(),
            access,
            covers: HashMap::new(),
        });
        id
    }

    /// The id that the next mount gets.
    pub(crate) fn next_mount(&self) -> MountId {
        MountId(self.points.len())
    }

    /// Adds an empty synthetic directory.
    pub(crate) fn add_tree(&mut self, above: Above, name: &[u8]) -> StaticId {
        let id = StaticId(self.statics.len());
        self.statics.push(StaticDir {
            entries: BTreeMap::new(),
            above,
            name: name.to_vec(),
        });
        id
    }

    /// Puts an entry into a synthetic directory.
    pub(crate) fn set_entry(
        &mut self,
        tree: StaticId,
        name: &[u8],
        entry: StaticEntry,
    ) -> Result<(), Errno> {
        let dir = self.statics.get_mut(tree.0).ok_or(Errno::EIO)?;
        dir.entries.insert(name.to_vec(), entry);
        Ok(())
    }

    /// Places a mount at `name` of `parent`, over whatever is there.
    pub(crate) fn attach(&mut self, id: MountId, parent: &Dir, name: &[u8]) -> Result<(), Errno> {
        match parent {
            Dir::Static(tree) => self.set_entry(*tree, name, StaticEntry::Mount(id))?,
            Dir::Host(dir) => {
                let outer = self.points.get_mut(dir.mount.0).ok_or(Errno::EIO)?;
                outer
                    .covers
                    .entry(dir.id)
                    .or_default()
                    .insert(name.to_vec(), id);
            }
            Dir::Proc(_) | Dir::Terminals => return Err(Errno::EACCES),
        }
        let point = self.points.get_mut(id.0).ok_or(Errno::EIO)?;
        point.parent = Some(parent.clone());
        point.name = name.to_vec();
        Ok(())
    }
}
