//! Further names of files. See link(2).

use std::os::fd::AsFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::AtFlags;
use rustix::fs::{CWD, FileType};

use super::place::{Changeable, change, check_new, new_entry, within_inodes};
use crate::fd::{Object, OpenFile, Origin};
use crate::fs::dir::{Dir, FileId};
use crate::fs::node::{Node, proc_path};
use crate::fs::walk::{Entry, Follow};
use crate::landlock::Change;
use crate::syscall::args::{DirFd, Path};
use crate::thread::Thread;

pub(in crate::syscall) fn linkat(
    thread: &mut Thread,
    olddirfd: DirFd,
    oldpath: Path,
    newdirfd: DirFd,
    newpath: Path,
    flags: AtFlags,
) -> Result<(), Errno> {
    if !(AtFlags::SYMLINK_FOLLOW | AtFlags::EMPTY_PATH).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let follow = if flags.contains(AtFlags::SYMLINK_FOLLOW) {
        Follow::Yes
    } else {
        Follow::No
    };
    let old = thread.read_path(oldpath.0)?;
    if old.is_empty() && flags.contains(AtFlags::EMPTY_PATH) {
        // Needs CAP_DAC_READ_SEARCH.
        return Err(Errno::ENOENT);
    }
    let node = thread.node(olddirfd.0, &old, follow)?;
    let place = new_entry(thread, newdirfd.0, newpath.0)?;
    let (source, mount) = match &node {
        Node::Dir(dir) | Node::Shortcut(dir) => {
            return Err(refused_link(thread, &node, dir, &place));
        }
        Node::Host(host) => (Arc::clone(&host.fd), host.mount),
        Node::Open(file) => return link_open_file(thread, &node, file, &place),
        Node::Device(_) | Node::Link(_) | Node::Proc(_) => return Err(Errno::EXDEV),
    };
    if mount != place.dir.mount {
        return Err(Errno::EXDEV);
    }
    check_link(thread, &*source, &place)?;
    check_domain_to_link(thread, &node, &*source, &place)?;
    if node_is_link(&node) {
        link_link(thread, olddirfd.0, &old, &place)
    } else {
        link(thread, &*source, &place)
    }
}

/// Whether the caller may give a file this further name, where the host does not ask.
fn check_link(thread: &Thread, source: impl AsFd, place: &Changeable) -> Result<(), Errno> {
    check_new(thread, place)?;
    match thread.process.guard() {
        Some(guard) => guard.check_link(source),
        None => Ok(()),
    }
}

/// Whether the caller's domain lets it give a file this further name.
fn check_domain_to_link(
    thread: &Thread,
    node: &Node,
    source: impl AsFd,
    place: &Changeable,
) -> Result<(), Errno> {
    if !thread.process.is_restricted() {
        return Ok(());
    }
    let new = change(thread, place);
    if new.kind.is_some() {
        return Err(Errno::EEXIST);
    }
    let kind = FileType::from_raw_mode(rustix::fs::fstat(source)?.st_mode);
    let old = Change::of(thread.process.mounts(), node, kind);
    thread
        .process
        .check_domain_to_refer((&old, &new), false, false)
}

/// Why a directory gets no further name: the name is looked at first, and then the caller's domain.
fn refused_link(thread: &Thread, node: &Node, dir: &Dir, place: &Changeable) -> Errno {
    let name = place.name.strip_suffix(b"/");
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    match rustix::fs::statat(&place.dir, name.unwrap_or(&place.name), flags) {
        Ok(_) => Errno::EEXIST,
        Err(_) if name.is_some() => Errno::ENOENT,
        Err(_) => match dir {
            Dir::Host(host) if host.mount == place.dir.mount => {
                let checked = check_domain_to_link(thread, node, host, place);
                checked.err().unwrap_or(Errno::EPERM)
            }
            _ => Errno::EPERM,
        },
    }
}

fn node_is_link(node: &Node) -> bool {
    matches!(node, Node::Host(host) if host.kind == FileType::Symlink)
}

/// Links an open file, such as one made with `O_TMPFILE`, through its name in `/proc/self/fd`.
fn link_open_file(
    thread: &Thread,
    node: &Node,
    file: &OpenFile,
    place: &Changeable,
) -> Result<(), Errno> {
    match file.object() {
        Object::Host(host) if matches!(host.origin, Origin::Mount(m) if m == place.dir.mount) => {
            check_link(thread, &host.fd, place)?;
            check_domain_to_link(thread, node, &host.fd, place)?;
            let is_nameless = rustix::fs::fstat(&host.fd)?.st_nlink == 0;
            link(thread, &host.fd, place)?;
            if let Some(quota) = thread.process.mounts().quota(place.dir.mount) {
                quota.named(FileId::of(&host.fd)?.inode);
                if is_nameless {
                    // It had its inode before.
                    quota.lost_name();
                }
            }
            Ok(())
        }
        _ => Err(Errno::EXDEV),
    }
}

/// Gives the object behind a handle a name; the host resolves no path but the handle's own.
fn link(thread: &Thread, source: impl AsFd, place: &Changeable) -> Result<(), Errno> {
    let flags = rustix::fs::AtFlags::SYMLINK_FOLLOW;
    within_inodes(thread, place, || {
        rustix::fs::linkat(CWD, proc_path(source), &place.dir, &*place.name, flags)
    })
}

/// Gives a symbolic link another name: by its own, since a handle of it would be followed.
fn link_link(thread: &Thread, dirfd: i32, path: &[u8], place: &Changeable) -> Result<(), Errno> {
    match thread.entry(dirfd, path, Errno::EPERM)? {
        Entry {
            dir: Dir::Host(dir),
            name,
            slash: false,
        } if dir.mount == place.dir.mount => {
            let flags = rustix::fs::AtFlags::empty();
            within_inodes(thread, place, || {
                rustix::fs::linkat(&dir, &*name, &place.dir, &*place.name, flags)
            })
        }
        _ => Err(Errno::EXDEV),
    }
}
