//! Makes the mount table of a sandbox.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rawposix_abi::Errno;
use rustix::fs::{CWD, FileType, Mode, OFlags};

use crate::config::{Access, Config, ConfigError, HostUsers, PrivateOptions};
use crate::fs::device::Device;
use crate::fs::dir::{Dir, HostDir, open_directory};
use crate::fs::mount::{Above, MountId, MountRoot, Mounts, StaticEntry, StaticId, refuse_procfs};
use crate::fs::names;
use crate::fs::node::{Node, proc_path};
use crate::fs::private::{PrivateDir, PrivateStore};
use crate::fs::walk::{Follow, Walk};

/// The bytes of a path.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// The mount table, and the store behind the private `/tmp` and `/dev/shm`.
pub(crate) fn build(config: &Config) -> Result<(Mounts, Arc<PrivateStore>), ConfigError> {
    let mut mounts = Mounts::default();
    match &config.root {
        Some(root) => {
            let dir = open_host(root, MountId::ROOT).map_err(at(root, "use", "as the root"))?;
            mounts.add_mount(MountRoot::Dir(Arc::new(dir)), Access::ReadWrite);
        }
        None => {
            let tree = mounts.add_tree(Above::Mount(MountId::ROOT), b"");
            mounts.add_mount(MountRoot::Static(tree), Access::ReadOnly);
        }
    }
    let private = {
        let owner = (config.host_users == HostUsers::Same).then_some((config.uid, config.gid));
        Arc::new(PrivateStore::new(owner))
    };
    let built_in = |errno| ConfigError {
        what: String::from("cannot set up /dev, /proc, /tmp and /etc"),
        errno,
    };
    add_devices(&mut mounts).map_err(built_in)?;
    let proc = mounts.add_mount(MountRoot::Proc, Access::ReadOnly);
    place(&mut mounts, proc, b"/proc").map_err(built_in)?;
    let terminals = mounts.add_mount(MountRoot::Terminals, Access::ReadWrite);
    place(&mut mounts, terminals, b"/dev/pts").map_err(built_in)?;
    for (name, path) in [("tmp", "/tmp"), ("shm", "/dev/shm")] {
        let id = mounts.next_mount();
        let dir = Arc::new(PrivateDir::new(
            &private,
            name.to_owned(),
            id,
            PrivateOptions::default(),
        ));
        mounts.add_mount(MountRoot::Private(dir), Access::ReadWrite);
        place(&mut mounts, id, path.as_bytes()).map_err(built_in)?;
    }
    for (number, wanted) in config.private.iter().enumerate() {
        let (id, path) = (mounts.next_mount(), &wanted.guest);
        let name = format!("tmpfs-{number}");
        let dir = Arc::new(PrivateDir::new(&private, name, id, wanted.options));
        mounts.add_mount(MountRoot::Private(dir), Access::ReadWrite);
        place(&mut mounts, id, &bytes(path)).map_err(at(path, "make", "in the sandbox"))?;
    }
    let mut grants: Vec<_> = config.mounts.iter().collect();
    grants.sort_by_key(|mount| mount.guest.components().count());
    for mount in grants {
        mount_host(&mut mounts, &mount.host, &bytes(&mount.guest), mount.access).map_err(at(
            &mount.host,
            "mount",
            &format!("at '{}'", mount.guest.display()),
        ))?;
    }
    if config.root.is_none() {
        add_names(&mut mounts, config).map_err(built_in)?;
    }
    if let Some(program) = &config.program {
        let path = bytes(&program.guest);
        if lookup(&mounts, &path).is_err() {
            let reopened = rustix::fs::open(
                proc_path(&program.host),
                OFlags::PATH | OFlags::CLOEXEC,
                Mode::empty(),
            );
            reopened
                .map_err(Errno::from)
                .and_then(|fd| {
                    let id = mounts.add_mount(MountRoot::File(Arc::new(fd)), Access::ReadOnly);
                    place(&mut mounts, id, &path)
                })
                .map_err(at(&program.guest, "show", "in the sandbox"))?;
        }
    }
    Ok((mounts, private))
}

fn at<'a>(path: &'a Path, verb: &'a str, rest: &'a str) -> impl FnOnce(Errno) -> ConfigError + 'a {
    move |errno| ConfigError {
        what: format!("cannot {verb} '{}' {rest}", path.display()),
        errno,
    }
}

fn open_host(path: &Path, mount: MountId) -> Result<HostDir, Errno> {
    let fd = open_directory(CWD, path, OFlags::empty())?;
    refuse_procfs(&fd)?;
    HostDir::new(fd, mount)
}

fn mount_host(mounts: &mut Mounts, host: &Path, guest: &[u8], access: Access) -> Result<(), Errno> {
    let fd = rustix::fs::open(host, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let id = mounts.add_mount(host_root(fd, mounts.next_mount())?, access);
    place(mounts, id, guest)
}

fn host_root(fd: OwnedFd, id: MountId) -> Result<MountRoot, Errno> {
    refuse_procfs(&fd)?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode);
    Ok(if kind == FileType::Directory {
        MountRoot::Dir(Arc::new(HostDir::new(fd, id)?))
    } else {
        MountRoot::File(Arc::new(fd))
    })
}

fn lookup(mounts: &Mounts, path: &[u8]) -> Result<Node, Errno> {
    let root = mounts.root()?;
    Walk::new(mounts, root.clone(), None).node(root, path, Follow::Yes)
}

/// Places a mount at an absolute path. Parents that do not exist become synthetic directories.
fn place(mounts: &mut Mounts, id: MountId, path: &[u8]) -> Result<(), Errno> {
    if path.first() != Some(&b'/') {
        return Err(Errno::EINVAL);
    }
    let mut names: Vec<&[u8]> = path
        .split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .collect();
    if names.contains(&b"..".as_slice()) {
        return Err(Errno::EINVAL);
    }
    let last = names.pop().ok_or(Errno::EBUSY)?;
    let mut dir = mounts.root()?;
    for name in names {
        let found = Walk::new(mounts, mounts.root()?, None).node(dir.clone(), name, Follow::Yes);
        dir = match found {
            Ok(Node::Dir(found)) => found,
            Ok(_) => return Err(Errno::ENOTDIR),
            Err(Errno::ENOENT) => Dir::Static(add_parent(mounts, &dir, name)?),
            Err(errno) => return Err(errno),
        };
    }
    mounts.attach(id, &dir, last)
}

/// A synthetic directory in place of one that does not exist.
fn add_parent(mounts: &mut Mounts, dir: &Dir, name: &[u8]) -> Result<StaticId, Errno> {
    if let Dir::Static(above) = dir {
        let tree = mounts.add_tree(Above::Dir(*above), name);
        mounts.set_entry(*above, name, StaticEntry::Dir(tree))?;
        return Ok(tree);
    }
    let mount = mounts.next_mount();
    let tree = mounts.add_tree(Above::Mount(mount), name);
    mounts.add_mount(MountRoot::Static(tree), Access::ReadOnly);
    mounts.attach(mount, dir, name)?;
    Ok(tree)
}

/// The files of `/etc`, where nothing was granted that could have them.
fn add_names(mounts: &mut Mounts, config: &Config) -> Result<(), Errno> {
    if matches!(lookup(mounts, b"/etc"), Ok(node) if !matches!(node, Node::Dir(Dir::Static(_)))) {
        return Ok(());
    }
    for (path, text) in names::files(config) {
        if matches!(lookup(mounts, path.as_bytes()), Err(Errno::ENOENT)) {
            let file = MountRoot::File(Arc::new(names::text_file(&text)?));
            let id = mounts.add_mount(file, Access::ReadOnly);
            place(mounts, id, path.as_bytes())?;
        }
    }
    Ok(())
}

/// `/dev`, see null(4), random(4), tty(4).
fn add_devices(mounts: &mut Mounts) -> Result<(), Errno> {
    let mount = mounts.next_mount();
    let dev = mounts.add_tree(Above::Mount(mount), b"dev");
    mounts.add_mount(MountRoot::Static(dev), Access::ReadOnly);
    place(mounts, mount, b"/dev")?;
    for device in Device::ALL {
        mounts.set_entry(dev, device.name().as_bytes(), StaticEntry::Device(device))?;
    }
    let links = [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ];
    for (name, target) in links {
        mounts.set_entry(
            dev,
            name.as_bytes(),
            StaticEntry::Link(target.as_bytes().to_vec()),
        )?;
    }
    Ok(())
}
