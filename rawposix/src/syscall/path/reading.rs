//! What names and links say. See readlink(2), getdents(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::{AT_FDCWD, AtFlags};
use rawposix_memory::GuestPtr;
use rustix::fs::FileType;

use crate::fd::Object;
use crate::fs::listing::{ListedName, read_names};
use crate::fs::node::Node;
use crate::fs::place;
use crate::fs::walk::Follow;
use crate::syscall::args::{DirFd, Fd, Len, OutStr, Path, Ptr};
use crate::syscall::io::listed_directory;
use crate::thread::Thread;

/// Checks the path; no file system here has handles.
pub(in crate::syscall) fn name_to_handle_at(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    handle: Ptr,
    mount_id: Ptr,
    flags: AtFlags,
) -> Result<(), Errno> {
    let _ = (handle, mount_id);
    if !(AtFlags::SYMLINK_FOLLOW | AtFlags::EMPTY_PATH).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let path = thread.read_path(path.0)?;
    if path.is_empty() {
        if !flags.contains(AtFlags::EMPTY_PATH) {
            return Err(Errno::ENOENT);
        }
        if dirfd.0 != AT_FDCWD {
            thread.file(dirfd.0)?;
        }
    } else {
        let follow = if flags.contains(AtFlags::SYMLINK_FOLLOW) {
            Follow::Yes
        } else {
            Follow::No
        };
        thread.node(dirfd.0, &path, follow)?;
    }
    Err(Errno::EOPNOTSUPP)
}

pub(in crate::syscall) fn readlinkat(
    thread: &mut Thread,
    dirfd: DirFd,
    path: Path,
    buf: OutStr,
    size: Len,
) -> Result<usize, Errno> {
    if size.0.cast_signed() <= 0 {
        return Err(Errno::EINVAL);
    }
    let path = thread.read_path(path.0)?;
    let mounts = thread.process.mounts();
    let node = if path.is_empty() {
        if dirfd.0 == AT_FDCWD {
            return Err(Errno::ENOENT);
        }
        // An O_PATH descriptor of a link names the link itself.
        match thread.file(dirfd.0)?.object() {
            Object::Path(node) => node.clone(),
            _ => return Err(Errno::ENOENT),
        }
    } else {
        thread.node(dirfd.0, &path, Follow::No)?
    };
    let text = match &node {
        Node::Host(host) if host.kind == FileType::Symlink => host.read_link()?,
        Node::Link(text) => text.clone(),
        Node::Open(file) => place::shown(&thread.process, place::link_to_file(mounts, file)?),
        Node::Shortcut(dir) => place::shown(&thread.process, place::link_to_dir(mounts, dir)?),
        _ if path.is_empty() => return Err(Errno::ENOENT),
        _ => return Err(Errno::EINVAL),
    };
    let length = text
        .len()
        .min(usize::try_from(size.0).unwrap_or(usize::MAX));
    thread
        .memory()
        .write_bytes(buf.0, text.get(..length).unwrap_or_default())?;
    Ok(length)
}

/// Bytes of the record for a name: a multiple of eight.
fn record_length(name: &ListedName) -> usize {
    (rawposix_abi::structs::DIRENT64_NAME + name.name.len() + 1).next_multiple_of(8)
}

pub(in crate::syscall) fn getdents64(
    thread: &mut Thread,
    fd: Fd,
    dirp: Ptr,
    count: Len,
) -> Result<usize, Errno> {
    let file = thread.file(fd.0)?;
    let (open, dir) = listed_directory(&file)?;
    let mut listing = open.listing.lock();
    if listing.names.is_none() {
        listing.names = Some(read_names(
            thread.process.mounts(),
            &thread.process,
            dir,
            open.readable(),
        )?);
    }
    let position = usize::try_from(listing.position).unwrap_or(usize::MAX);
    let names = listing.names.as_deref().unwrap_or_default();
    let room = usize::try_from(count.0).unwrap_or(usize::MAX);
    let mut records = Vec::new();
    let mut next = position;
    for name in names.get(position..).unwrap_or_default() {
        let length = record_length(name);
        if records.len() + length > room {
            break;
        }
        next += 1;
        let end = records.len() + length;
        records.extend_from_slice(&name.inode.to_le_bytes());
        records.extend_from_slice(&(next as u64).to_le_bytes());
        records.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
        records.push(name.kind);
        records.extend_from_slice(&name.name);
        records.resize(end, 0);
    }
    if records.is_empty() && position < names.len() {
        return Err(Errno::EINVAL);
    }
    let (before, after) = (listing.position, next as u64);
    listing.position = after;
    drop(listing);
    let stored = thread.memory().write_bytes(GuestPtr::new(dirp.0), &records);
    if stored.is_err() {
        // Records that cannot be stored are not consumed.
        let mut listing = open.listing.lock();
        if listing.position == after {
            listing.position = before;
        }
    }
    stored.map(|()| records.len())
}
