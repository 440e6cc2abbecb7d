//! Guests that are not the host's user: what the host does not check, the sandbox does. C programs show the rest
//! (tests/c/permissions.c); here is what only lind's own user decides.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use common::{Guest, mount};
use rawposix::{Access, Config, Errno, HostUsers};

const USER: u32 = 4321;

fn fill(path: &Path, mode: u32) {
    fs::write(path, "text").unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn guest(directory: &Path, host_users: HostUsers) -> Guest {
    Guest::new(Config {
        mounts: vec![mount(directory, "/d", Access::ReadWrite)],
        uid: USER,
        gid: USER,
        host_users,
        ..Config::default()
    })
}

/// Only root can have files of others, and is forbidden nothing.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_lind_that_is_root_checks_a_user_of_the_hosts() {
    if !is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    fill(&path.join("secret"), 0o600);
    fill(&path.join("public"), 0o644);
    fill(&path.join("own"), 0o600);
    chown(path.join("own"), Some(USER), Some(USER)).unwrap();
    fs::create_dir(path.join("open")).unwrap();
    fs::set_permissions(path.join("open"), Permissions::from_mode(0o777)).unwrap();
    fs::create_dir(path.join("closed")).unwrap();
    fs::set_permissions(path.join("closed"), Permissions::from_mode(0o700)).unwrap();
    fill(&path.join("closed/public"), 0o644);

    let mut guest = guest(path, HostUsers::Same);
    assert_eq!(guest.stat("/d/secret").unwrap().uid, 0);
    assert_eq!(guest.stat("/d/own").unwrap().uid, USER);
    assert_eq!(guest.read_file("/d/secret"), Err(Errno::EACCES));
    assert_eq!(guest.read_file("/d/public"), Ok(b"text".to_vec()));
    assert_eq!(guest.read_file("/d/closed/public"), Err(Errno::EACCES));
    assert_eq!(guest.read_file("/d/own"), Ok(b"text".to_vec()));
    assert_eq!(guest.write_file("/d/public", "x"), Err(Errno::EACCES));
    assert_eq!(guest.write_file("/d/new", "x"), Err(Errno::EACCES));
    assert_eq!(guest.unlink("/d/public"), Err(Errno::EACCES));

    // What the user makes is the user's, on the host as well.
    guest.write_file("/d/open/file", "x").unwrap();
    guest.mkdir("/d/open/dir").unwrap();
    guest.symlink("file", "/d/open/link").unwrap();
    for name in ["file", "dir", "link"] {
        let made = fs::symlink_metadata(path.join("open").join(name)).unwrap();
        assert_eq!((made.uid(), made.gid()), (USER, USER), "{name}");
        assert_eq!(guest.stat(&format!("/d/open/{name}")).unwrap().uid, USER);
    }
    guest.write_file("/d/open/dir/below", "x").unwrap();
    guest.write_file("/tmp/file", "x").unwrap();
    assert_eq!(guest.stat("/tmp").unwrap().uid, USER);
}

#[test]
fn otherwise_files_of_linds_user_are_the_guests() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fill(&path.join("secret"), 0o600);
    let mut guest = guest(path, HostUsers::One);
    assert_eq!(guest.stat("/d/secret").unwrap().uid, USER);
    assert_eq!(guest.read_file("/d/secret"), Ok(b"text".to_vec()));
    guest.write_file("/d/new", "x").unwrap();
    assert_eq!(guest.stat("/d/new").unwrap().uid, USER);
    let made = fs::metadata(path.join("new")).unwrap();
    assert_eq!(made.uid(), rustix::process::geteuid().as_raw());
}
