//! From objects back to paths: getcwd(2) and the links of `/proc`.

use std::os::fd::AsFd;

use rawposix_abi::Errno;

use super::device::Device;
use super::dir::Dir;
use super::mount::{Above, MountId, MountRoot, Mounts};
use super::node::{Node, proc_path};
use crate::cage::Process;
use crate::fd::{Object, OpenFile, Origin};

/// The path of a directory in the sandbox. `ENOENT` when it has none any more.
pub(crate) fn path_of_dir(mounts: &Mounts, dir: &Dir) -> Result<Vec<u8>, Errno> {
    let path = raw_path(mounts, dir)?;
    Ok(if path.is_empty() { b"/".to_vec() } else { path })
}

/// What stands for a path that there is none of.
const UNREACHABLE: &[u8] = b"(unreachable)";

/// The longest path that Linux tells, without its NUL.
const LONGEST: usize = 4095;

/// What a link in `/proc/self/fd` says. `ENAMETOOLONG` for a path that does not fit a page, of the host's or the
/// sandbox's.
pub(crate) fn link_to_file(mounts: &Mounts, file: &OpenFile) -> Result<Vec<u8>, Errno> {
    link(known_path(mounts, file))
}

/// The same for a directory.
pub(crate) fn link_to_dir(mounts: &Mounts, dir: &Dir) -> Result<Vec<u8>, Errno> {
    link(path_of_dir(mounts, dir))
}

fn link(path: Result<Vec<u8>, Errno>) -> Result<Vec<u8>, Errno> {
    match path {
        Ok(path) if path.len() > LONGEST => Err(Errno::ENAMETOOLONG),
        Err(Errno::ENAMETOOLONG) => Err(Errno::ENAMETOOLONG),
        path => Ok(path.unwrap_or_else(|_| UNREACHABLE.to_vec())),
    }
}

/// A path as a process sees it that may have another root than the sandbox. `Err` for one that does not lie below.
pub(crate) fn seen(process: &Process, path: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
    let (mounts, root) = (process.mounts(), process.root());
    if mounts.root().is_ok_and(|all| all.is_same(&root)) {
        return Ok(path);
    }
    let Ok(root) = path_of_dir(mounts, &root) else {
        return Err(path);
    };
    match path.strip_prefix(&*root) {
        Some(b"") => Ok(b"/".to_vec()),
        Some(rest) if rest.first() == Some(&b'/') => Ok(rest.to_vec()),
        _ => Err(path),
    }
}

/// The same for links of `/proc`, which show what lies elsewhere by its path in the sandbox.
pub(crate) fn shown(process: &Process, path: Vec<u8>) -> Vec<u8> {
    seen(process, path).unwrap_or_else(|path| path)
}

/// What is shown of an open file.
pub(crate) fn path_of_file(mounts: &Mounts, file: &OpenFile) -> Vec<u8> {
    known_path(mounts, file).unwrap_or_else(|_| UNREACHABLE.to_vec())
}

fn known_path(mounts: &Mounts, file: &OpenFile) -> Result<Vec<u8>, Errno> {
    match file.object() {
        Object::Dir(dir) => path_of_dir(mounts, &dir.dir),
        Object::Host(host) => match &host.origin {
            Origin::Mount(mount) => host_path(mounts, *mount, &host.fd),
            Origin::Device(device) => Ok(device_path(*device)),
            Origin::Terminal(end) => Ok(device_path(Device::of_end(end))),
            Origin::Nameless(label) => Ok(label.clone().into_bytes()),
            Origin::Virtual(_, file) => Ok(file.path()),
            Origin::Socket(_) => host_link(&host.fd),
            Origin::Stream => Ok(stream_label(&host.fd)),
        },
        Object::Path(node) => path_of_node(mounts, node),
        Object::Own(own) => Ok(own.file().label().into_bytes()),
    }
}

/// The path of an object.
pub(crate) fn path_of_node(mounts: &Mounts, node: &Node) -> Result<Vec<u8>, Errno> {
    match node {
        Node::Dir(dir) | Node::Shortcut(dir) => path_of_dir(mounts, dir),
        Node::Host(host) => host_path(mounts, host.mount, &*host.fd),
        Node::Device(device) => Ok(device_path(*device)),
        Node::Open(file) => Ok(path_of_file(mounts, file)),
        Node::Link(_) => Err(Errno::ENOENT),
        Node::Proc(file) => Ok(file.path()),
    }
}

fn device_path(device: Device) -> Vec<u8> {
    format!("/dev/{}", device.name()).into_bytes()
}

/// The path without the slash that alone names the root.
fn raw_path(mounts: &Mounts, dir: &Dir) -> Result<Vec<u8>, Errno> {
    match dir {
        // The host's name of a removed directory says where it was.
        Dir::Host(host) if rustix::fs::fstat(host)?.st_nlink == 0 => Err(Errno::ENOENT),
        Dir::Host(host) => host_path(mounts, host.mount, host)
            .map(|path| if path == b"/" { Vec::new() } else { path }),
        Dir::Static(tree) => {
            let tree = mounts.tree(*tree)?;
            match tree.above {
                Above::Mount(mount) => mount_path(mounts, mount),
                Above::Dir(above) => Ok(join(raw_path(mounts, &Dir::Static(above))?, &tree.name)),
            }
        }
        Dir::Terminals => mount_path(mounts, mounts.terminals()?),
        Dir::Proc(proc) => {
            let mount = mounts
                .iter()
                .find(|(_, point)| matches!(point.root, MountRoot::Proc));
            let mut path = match mount {
                Some((id, _)) => mount_path(mounts, id)?,
                None => return Err(Errno::ENOENT),
            };
            path.extend_from_slice(proc.path().as_bytes());
            Ok(path)
        }
    }
}

fn join(mut path: Vec<u8>, name: &[u8]) -> Vec<u8> {
    path.push(b'/');
    path.extend_from_slice(name);
    path
}

/// The path of a mount; empty for the root.
pub(crate) fn mount_path(mounts: &Mounts, id: MountId) -> Result<Vec<u8>, Errno> {
    let point = mounts.point(id)?;
    match &point.parent {
        None => Ok(Vec::new()),
        Some(parent) => Ok(join(raw_path(mounts, parent)?, &point.name)),
    }
}

/// The path of a host file that was reached through a mount: what the host says of it, below the mount's root. That of
/// a removed file ends in ` (deleted)`, as on Linux.
pub(crate) fn host_path(mounts: &Mounts, mount: MountId, fd: impl AsFd) -> Result<Vec<u8>, Errno> {
    let mut path = mount_path(mounts, mount)?;
    let Some(root) = mounts.point(mount)?.host_root()? else {
        // A mounted file has the mount's own name.
        return Ok(path);
    };
    let full = host_link(&fd)?;
    let base = host_link(root)?;
    let base: &[u8] = if base == b"/" { b"" } else { &base };
    let inside = full.strip_prefix(base).ok_or(Errno::ENOENT)?;
    match inside.first() {
        None => {}
        Some(b'/') => path.extend_from_slice(inside),
        Some(_) => return Err(Errno::ENOENT),
    }
    Ok(if path.is_empty() { b"/".to_vec() } else { path })
}

fn host_link(fd: impl AsFd) -> Result<Vec<u8>, Errno> {
    Ok(rustix::fs::readlink(proc_path(fd), Vec::new())?.into_bytes())
}

/// A name for one of lind's own streams that says what it is, not where on the host it lies.
fn stream_label(fd: impl AsFd) -> Vec<u8> {
    match host_link(&fd) {
        Ok(path) if !path.starts_with(b"/") => path,
        Ok(path) if path == b"/dev/null" => path,
        _ => b"stream:[host]".to_vec(),
    }
}
