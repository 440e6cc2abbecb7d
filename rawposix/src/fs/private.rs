//! The directories that only this sandbox has: `/tmp` and `/dev/shm`.
//!
//! Most programs never look at them, and making and removing directories of a disk takes longer than such a program
//! runs; so they are made when a path first leads to them.

use std::fs::Permissions;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, SeekFrom, Uid, chownat};

use super::dir::{HostDir, open_directory};
use super::listing::{open_readable, read_host};
use super::mount::MountId;
use super::node::proc_path;
use super::quota::Quota;
use crate::config::PrivateOptions;

/// The host directory in which the private directories lie; it is removed with this value.
#[derive(Debug, Default)]
pub(crate) struct PrivateStore {
    state: Mutex<State>,
    /// User and group that the directories are given to, if not lind's.
    owner: Option<(u32, u32)>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Unused,
    Made(tempfile::TempDir),
    /// Removed for good: the sandbox is about to end.
    Abandoned,
}

impl PrivateStore {
    /// Directories of this user and group; `None` is lind's.
    pub(crate) fn new(owner: Option<(u32, u32)>) -> Self {
        Self {
            state: Mutex::default(),
            owner,
        }
    }

    /// Removes what there is; nothing is made from now on.
    pub(crate) fn abandon(&self) {
        let state = std::mem::replace(&mut *self.state.lock(), State::Abandoned);
        if let State::Made(store) = state {
            let path = store.keep();
            // What cannot be removed stays; there is nobody to tell.
            let _ = remove(&path);
        }
    }

    fn make(&self, name: &str, mode: u32, mount: MountId) -> Result<HostDir, Errno> {
        let mut state = self.state.lock();
        if let State::Unused = *state {
            // Nobody else of the host's gets in, whatever modes the guest gives its files.
            let owner = Permissions::from_mode(0o700);
            *state = State::Made(
                tempfile::Builder::new()
                    .prefix("lind-")
                    .permissions(owner)
                    .tempdir()?,
            );
        }
        let State::Made(store) = &*state else {
            return Err(Errno::ENOENT);
        };
        let path = store.path().join(name);
        rustix::fs::mkdir(&path, Mode::RWXU)?;
        rustix::fs::chmod(&path, Mode::from_bits_truncate(mode))?;
        let dir = open_directory(CWD, path, OFlags::NOFOLLOW)?;
        if let Some((uid, gid)) = self.owner {
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            // A host that does not know the user leaves them to lind.
            let _ = chownat(&dir, c"", Some(uid), Some(gid), AtFlags::EMPTY_PATH);
        }
        HostDir::new(dir, mount)
    }
}

impl Drop for PrivateStore {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Removes a directory with all it holds, however deep that is and whatever its modes are: each directory's own
/// directories are moved up before it is removed, so neither stack nor descriptors grow with the depth.
fn remove(path: &Path) -> Result<(), Errno> {
    let top = rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let mut moved = 0_u64;
    loop {
        let names = names_in(&top)?;
        if names.is_empty() {
            break;
        }
        for name in names {
            if unlink(&top, &name)? {
                continue;
            }
            let dir = open_up(&top, &name)?;
            for inner in names_in(&dir)? {
                if !unlink(&dir, &inner)? {
                    drop(open_up(&dir, &inner)?);
                    rustix::fs::renameat(&dir, &*inner, &top, format!(".moved-{moved}"))?;
                    moved += 1;
                }
            }
            rustix::fs::unlinkat(&top, &*name, AtFlags::REMOVEDIR)?;
        }
    }
    Ok(rustix::fs::rmdir(path)?)
}

/// Removes a name that is no directory; tells whether it was none.
fn unlink(dir: &OwnedFd, name: &[u8]) -> Result<bool, Errno> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::ISDIR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Opens a directory and gives its owner all rights to it.
fn open_up(parent: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let dir = open_directory(parent, name, OFlags::NOFOLLOW)?;
    rustix::fs::chmod(proc_path(&dir), Mode::RWXU)?;
    open_readable(&dir, OFlags::empty())
}

fn names_in(dir: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    rustix::fs::seek(dir, SeekFrom::Start(0))?;
    read_host(dir, |name, _, _| {
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    })?;
    Ok(names)
}

/// One private directory.
#[derive(Debug)]
pub(crate) struct PrivateDir {
    store: Arc<PrivateStore>,
    name: String,
    mount: MountId,
    mode: u32,
    made: OnceLock<Arc<HostDir>>,
    /// Held while it is made, so that it is made once.
    making: Mutex<()>,
    /// How much it holds, if that is limited.
    quota: Option<Arc<Quota>>,
}

impl PrivateDir {
    /// The mode of such a directory if none is asked for.
    pub(crate) const MODE: u32 = 0o1777;

    /// A directory that does not exist yet, with so much room.
    pub(crate) fn new(
        store: &Arc<PrivateStore>,
        name: String,
        mount: MountId,
        options: PrivateOptions,
    ) -> Self {
        let is_limited = options.size.is_some() || options.inodes.is_some();
        Self {
            store: Arc::clone(store),
            name,
            mount,
            made: OnceLock::new(),
            making: Mutex::new(()),
            mode: options.mode.unwrap_or(Self::MODE),
            quota: is_limited.then(|| Arc::new(Quota::new(options.size, options.inodes))),
        }
    }

    /// Its mode at first.
    pub(crate) fn mode(&self) -> u32 {
        self.mode
    }

    /// How much it holds, if that is limited.
    pub(crate) fn quota(&self) -> Option<&Arc<Quota>> {
        self.quota.as_ref()
    }

    /// The directory, made if need be.
    pub(crate) fn get(&self) -> Result<&Arc<HostDir>, Errno> {
        if let Some(dir) = self.made.get() {
            return Ok(dir);
        }
        let _making = self.making.lock();
        if let Some(dir) = self.made.get() {
            return Ok(dir);
        }
        let dir = Arc::new(self.store.make(&self.name, self.mode, self.mount)?);
        Ok(self.made.get_or_init(|| dir))
    }
}
