//! The straight way: paths that lead down from a directory without a turn, which the host resolves in one call.
//!
//! Most paths are such: no `..`, no mount below the host directory where they get to, and, as it turns out, no link. They
//! need no handle of a directory between. Whatever is not so goes the way of `walk`, which the answers here never
//! contradict: the host is told to follow no link and to enter no other file system.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rustix::fs::{Mode, OFlags, ResolveFlags};

use super::dir::{Dir, HostDir};
use super::host::{is_for_writing, open_flags};
use super::mount::{Mounts, StaticEntry};
use super::open::{How, adopt};
use super::{NAME_MAX, PATH_MAX};
use crate::cage::Process;
use crate::fd::OpenFile;

/// Where a straight path leads: names below a host directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Straight<'a> {
    pub(crate) dir: &'a HostDir,
    /// One name or several; none is `..`, and the last is not `.`.
    pub(crate) names: &'a [u8],
    /// Whether it is only one.
    pub(crate) is_single: bool,
}

impl<'a> Straight<'a> {
    /// Goes down from `start` to the first host directory; nothing if the path is not straight.
    pub(crate) fn new(mounts: &'a Mounts, start: &'a Dir, path: &'a [u8]) -> Option<Self> {
        if path.len() >= PATH_MAX {
            return None;
        }
        let mut names = path;
        let mut tree = match start {
            Dir::Host(dir) => return Self::below(mounts, dir, trimmed(names)),
            Dir::Static(tree) => *tree,
            Dir::Proc(_) | Dir::Terminals => return None,
        };
        loop {
            names = trimmed(names);
            let end = names.iter().position(|byte| *byte == b'/')?;
            let (name, rest) = names.split_at_checked(end)?;
            match mounts.tree(tree).ok()?.entries.get(name)? {
                StaticEntry::Dir(below) => tree = *below,
                StaticEntry::Mount(mount) => {
                    let dir = mounts.point(*mount).ok()?.host_root().ok()??;
                    return Self::below(mounts, dir, trimmed(rest));
                }
                StaticEntry::Link(_) | StaticEntry::Device(_) => return None,
            }
            names = rest;
        }
    }

    fn below(mounts: &Mounts, dir: &'a HostDir, names: &'a [u8]) -> Option<Self> {
        let mut first = None;
        let mut last: &[u8] = b".";
        let mut parts = 0;
        for name in names.split(|byte| *byte == b'/') {
            if name == b".." || name.len() > NAME_MAX {
                return None;
            }
            if first.is_none() && !matches!(name, b"" | b".") {
                first = Some(name);
            }
            last = name;
            parts += 1;
        }
        // A path that ends in a slash has an empty last name.
        if last.is_empty() || last == b"." || !mounts.is_plain_below(dir, first?) {
            return None;
        }
        Some(Self {
            dir,
            names,
            is_single: parts == 1,
        })
    }

    /// Opens what is there; nothing where the walk has to find out. `ENOENT` is the only error.
    pub(crate) fn open(self, flags: OFlags) -> Result<Option<OwnedFd>, Errno> {
        let mut resolve =
            ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        if !self.is_single {
            resolve |= ResolveFlags::BENEATH;
        }
        match rustix::fs::openat2(self.dir, self.names, flags, Mode::empty(), resolve) {
            Ok(fd) => Ok(Some(fd)),
            Err(rustix::io::Errno::NOENT) => Err(Errno::ENOENT),
            Err(rustix::io::Errno::INTR) => Err(Errno::EINTR),
            Err(_) => Ok(None),
        }
    }
}

/// Opens a file that exists, where a path leads to it straight; nothing where `fs::open` has to find out.
pub(crate) fn open_straight(
    process: &Process,
    start: &Dir,
    path: &[u8],
    flags: OpenFlags,
) -> Result<Option<Arc<OpenFile>>, Errno> {
    let special = OpenFlags::CREAT | OpenFlags::PATH | OpenFlags::TMPFILE | OpenFlags::TRUNC;
    if flags.intersects(special) || is_for_writing(flags) || process.guard().is_some() {
        return Ok(None);
    }
    if process.is_restricted() {
        return Ok(None);
    }
    let mounts = process.mounts();
    let Some(place) = Straight::new(mounts, start, path) else {
        return Ok(None);
    };
    let mount = place.dir.mount;
    let Some(fd) = place.open(open_flags(flags) | OFlags::NOFOLLOW)? else {
        return Ok(None);
    };
    if flags.contains(OpenFlags::DIRECTORY) || mounts.quota(mount).is_some() {
        let how = How {
            flags,
            mode: Mode::empty(),
            set_ids: 0,
        };
        return adopt(process, fd, mount, how).map(Some);
    }
    Ok(Some(OpenFile::late(fd, mount, flags)))
}

fn trimmed(names: &[u8]) -> &[u8] {
    let slashes = names.iter().take_while(|byte| **byte == b'/').count();
    names.get(slashes..).unwrap_or_default()
}
