//! The working directory, the root directory and the mask of new files: of a process, or of those that share them.

use rawposix_abi::Errno;
use rawposix_abi::flags::AT_FDCWD;
use rustix::fs::Access;

use crate::cage::{Capability, Umask};
use crate::fs::dir::Dir;
use crate::fs::node::Node;
use crate::fs::permission::Rights;
use crate::fs::place;
use crate::fs::walk::Follow;
use crate::syscall::args::{Fd, Len, Mode, OutStr, Path};
use crate::thread::Thread;

pub(in crate::syscall) fn getcwd(
    thread: &mut Thread,
    buf: OutStr,
    size: Len,
) -> Result<usize, Errno> {
    let path = place::path_of_dir(thread.process.mounts(), &thread.process.cwd())?;
    let mut path = place::seen(&thread.process, path)
        .unwrap_or_else(|path| [b"(unreachable)", &*path].concat());
    path.push(0);
    if path.len() > usize::try_from(size.0).unwrap_or(usize::MAX) {
        return Err(Errno::ERANGE);
    }
    thread.memory().write_bytes(buf.0, &path)?;
    Ok(path.len())
}

pub(in crate::syscall) fn chdir(thread: &mut Thread, path: Path) -> Result<(), Errno> {
    let path = thread.read_path(path.0)?;
    match thread.node(AT_FDCWD, &path, Follow::Yes)? {
        Node::Dir(dir) => enter(thread, dir),
        _ => Err(Errno::ENOTDIR),
    }
}

pub(in crate::syscall) fn fchdir(thread: &mut Thread, fd: Fd) -> Result<(), Errno> {
    let dir = thread.file(fd.0)?.directory().ok_or(Errno::ENOTDIR)?;
    enter(thread, dir)
}

pub(in crate::syscall) fn chroot(thread: &mut Thread, path: Path) -> Result<(), Errno> {
    let path = thread.read_path(path.0)?;
    let Node::Dir(dir) = thread.node(AT_FDCWD, &path, Follow::Yes)? else {
        return Err(Errno::ENOTDIR);
    };
    check_search(thread, &dir)?;
    let caller = thread.process.credentials();
    if !caller.can(Capability::SysChroot) {
        return Err(Errno::EPERM);
    }
    thread.process.with_context(|context| context.root = dir);
    Ok(())
}

/// Fails for a directory that may not be searched.
fn check_search(thread: &Thread, dir: &Dir) -> Result<(), Errno> {
    if let Dir::Host(host) = dir {
        if let Some(guard) = thread.process.guard() {
            guard.check(host, Rights::EXECUTE)?;
        }
        rustix::fs::accessat(host, c".", Access::EXEC_OK, rustix::fs::AtFlags::empty())?;
    }
    Ok(())
}

/// Makes a directory the working directory, if it may be searched.
fn enter(thread: &Thread, dir: Dir) -> Result<(), Errno> {
    check_search(thread, &dir)?;
    thread.process.with_context(|context| context.cwd = dir);
    Ok(())
}

pub(in crate::syscall) fn umask(thread: &mut Thread, mask: Mode) -> Result<u32, Errno> {
    Ok(thread
        .process
        .with_context(|context| std::mem::replace(&mut context.umask, Umask(mask.0 & 0o777)).0))
}
