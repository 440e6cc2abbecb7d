//! Watching files and directories. See inotify(7).

use std::os::fd::{AsFd, BorrowedFd};

use rawposix_abi::Errno;
use rawposix_abi::flags::{AT_FDCWD, OpenFlags};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::args::{Fd, Hex, Int, Path};
use crate::fd::{CloseOnExec, OpenFile, Origin};
use crate::fs::dir::Dir;
use crate::fs::node::{Node, proc_path};
use crate::fs::permission::Rights;
use crate::fs::walk::Follow;
use crate::thread::Thread;

pub(super) fn inotify_init1(thread: &mut Thread, flags: Hex) -> Result<i32, Errno> {
    let flags = OpenFlags::from_bits(flags.0).ok_or(Errno::EINVAL)?;
    if !(OpenFlags::NONBLOCK | OpenFlags::CLOEXEC).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let mut host_flags = CreateFlags::CLOEXEC;
    host_flags.set(CreateFlags::NONBLOCK, flags.contains(OpenFlags::NONBLOCK));
    let fd = inotify::init(host_flags)?;
    let origin = Origin::Nameless(String::from("anon_inode:inotify"));
    let file = OpenFile::host_file(fd, origin, OpenFlags::empty());
    thread.process.install(
        file,
        CloseOnExec::from_flag(flags.contains(OpenFlags::CLOEXEC)),
    )
}

/// Watches the object that the path leads to now, by its handle: the host follows nothing.
pub(super) fn inotify_add_watch(
    thread: &mut Thread,
    fd: Fd,
    path: Path,
    mask: Hex,
) -> Result<i32, Errno> {
    const ONLYDIR: u32 = 0x0100_0000;
    const DONT_FOLLOW: u32 = 0x0200_0000;
    if mask.0 & 0xf700_0fff == 0 {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(fd.0)?;
    let host = &file.host().map_err(|_| Errno::EINVAL)?.fd;
    let path = thread.read_path(path.0)?;
    let follow = if mask.0 & DONT_FOLLOW == 0 {
        Follow::Yes
    } else {
        Follow::No
    };
    let node = thread.node(AT_FDCWD, &path, follow)?;
    let flags = WatchFlags::from_bits_retain(mask.0 & !(DONT_FOLLOW | ONLYDIR));
    let guard = thread.process.guard();
    let check = |fd: BorrowedFd<'_>| match &guard {
        Some(guard) => guard.check(fd, Rights::READ),
        None => Ok(()),
    };
    match &node {
        Node::Dir(Dir::Host(dir)) | Node::Shortcut(Dir::Host(dir)) => {
            check(dir.as_fd())?;
            Ok(inotify::add_watch(host, proc_path(dir.as_fd()), flags)?)
        }
        _ if mask.0 & ONLYDIR != 0 => Err(Errno::ENOTDIR),
        Node::Host(object) => {
            check(object.fd.as_fd())?;
            Ok(inotify::add_watch(host, object.proc_path(), flags)?)
        }
        _ => Err(Errno::EACCES),
    }
}

pub(super) fn inotify_rm_watch(thread: &mut Thread, fd: Fd, watch: Int) -> Result<(), Errno> {
    let file = thread.file(fd.0)?;
    let host = &file.host().map_err(|_| Errno::EINVAL)?.fd;
    Ok(inotify::remove_watch(host, watch.0)?)
}
