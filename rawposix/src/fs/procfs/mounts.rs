//! The table of mounts, as `/proc` shows it.

use std::fmt::Write;

use crate::cage::Process;
use crate::fs::mount::{MountId, MountPoint, MountRoot, Mounts};
use crate::fs::place;
use crate::fs::private::PrivateDir;
use crate::fs::stat::Tree;

/// One line of the table.
struct Shown<'a> {
    id: usize,
    parent: usize,
    device: (u32, u32),
    path: String,
    kind: &'a str,
    options: String,
}

fn shown<'a>(process: &'a Process, id: MountId, point: &'a MountPoint) -> Option<Shown<'a>> {
    let mounts = process.mounts();
    let path = place::mount_path(mounts, id).ok()?;
    let path = if path.is_empty() { b"/".to_vec() } else { path };
    // Only what lies below the process's root.
    let path = place::seen(process, path).ok()?;
    let host = |fd: std::os::fd::BorrowedFd<'_>| {
        rustix::fs::fstat(fd).map_or((0, 0), |stat| {
            let device = stat.st_dev;
            (rustix::fs::major(device), rustix::fs::minor(device))
        })
    };
    let (kind, device) = match &point.root {
        MountRoot::Proc => ("proc", (0, Tree::Proc as u32)),
        MountRoot::Terminals => ("devpts", (0, Tree::Terminals as u32)),
        MountRoot::Static(_) => ("tmpfs", (0, Tree::Static as u32)),
        // Not made before it is needed.
        MountRoot::Private(_) => ("tmpfs", (0, mounts.private_device(id).unwrap_or(0))),
        MountRoot::Dir(dir) => ("hostfs", host(std::os::fd::AsFd::as_fd(&**dir))),
        MountRoot::File(fd) => ("hostfs", host(std::os::fd::AsFd::as_fd(&**fd))),
    };
    let parent = point.parent.as_ref().and_then(|dir| mounts.mount_of(dir));
    Some(Shown {
        id: id.0 + 1,
        parent: parent.map_or(0, |parent| parent.0 + 1),
        device,
        path: escape(&path),
        kind,
        options: options(mounts, id),
    })
}

/// The access, and what was asked for of a private directory, as tmpfs shows it: the size in KiB.
fn options(mounts: &Mounts, id: MountId) -> String {
    let access = if mounts.is_read_only(id) { "ro" } else { "rw" };
    let mut options = format!("{access},relatime");
    if let Some(quota) = mounts.quota(id) {
        if let Some((limit, _)) = quota.room() {
            let _ = write!(options, ",size={}k", limit / 1024);
        }
        if let Some((limit, _)) = quota.inodes() {
            let _ = write!(options, ",nr_inodes={limit}");
        }
    }
    if let Ok(MountRoot::Private(dir)) = mounts.point(id).map(|point| &point.root)
        && dir.mode() != PrivateDir::MODE
    {
        let _ = write!(options, ",mode={:o}", dir.mode());
    }
    options
}

fn each(process: &Process) -> impl Iterator<Item = Shown<'_>> {
    let mounts = process.mounts().iter();
    mounts.filter_map(move |(id, point)| shown(process, id, point))
}

/// A path as /proc/mounts writes it: blanks and backslashes as octal escapes.
fn escape(path: &[u8]) -> String {
    let mut text = String::new();
    for byte in path {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' | 0x80.. => {
                let _ = write!(text, "\\{byte:03o}");
            }
            byte => text.push(char::from(*byte)),
        }
    }
    text
}

/// `mounts`.
pub(super) fn mounts(process: &Process) -> String {
    let mut text = String::new();
    for Shown {
        path,
        kind,
        options,
        ..
    } in each(process)
    {
        let _ = writeln!(text, "{kind} {path} {kind} {options} 0 0");
    }
    text
}

/// `mountinfo`.
pub(super) fn mountinfo(process: &Process) -> String {
    let mut text = String::new();
    for shown in each(process) {
        let Shown {
            id,
            parent,
            device: (major, minor),
            path,
            kind,
            options,
        } = shown;
        let _ = writeln!(
            text,
            "{id} {parent} {major}:{minor} / {path} {options} - {kind} {kind} {options}"
        );
    }
    text
}
