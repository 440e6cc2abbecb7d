//! The private `/tmp`: made when it is used, out of others' reach, gone with the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;

use common::{CWD, Guest};
use rawposix::{Config, Errno};

/// The tests look at what lies in the host's directory for temporary files, one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn stores() -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir()).unwrap();
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("lind-")
        })
        .collect()
}

/// Runs `use_it` and gives the host directories that came to be.
fn made_by(guest: &mut Guest, use_it: impl Fn(&mut Guest)) -> Vec<PathBuf> {
    let before = stores();
    use_it(guest);
    let own = |path: &&PathBuf| {
        path.join("tmp").join("mark").exists() || path.join("shm").join("mark").exists()
    };
    stores().difference(&before).filter(own).cloned().collect()
}

#[test]
fn directory_is_the_owners_and_goes_away() {
    let _alone = ALONE.lock();
    let mut guest = Guest::new(Config::default());
    let made = made_by(&mut guest, |guest| {
        guest.write_file("/tmp/mark", "x").unwrap();
        guest.write_file("/dev/shm/mark", "x").unwrap();
    });
    assert_eq!(made.len(), 1);
    assert_eq!(
        made[0].metadata().unwrap().permissions().mode() & 0o7777,
        0o700
    );
    assert_eq!(guest.stat("/tmp").unwrap().mode, 0o041_777);
    drop(guest);
    assert!(!made[0].exists());
}

#[test]
fn deep_and_closed_trees_go_away() {
    let _alone = ALONE.lock();
    let mut guest = Guest::new(Config::default());
    let made = made_by(&mut guest, |guest| {
        guest.write_file("/tmp/mark", "x").unwrap();
    });
    guest.chdir("/tmp").unwrap();
    for _ in 0..500 {
        guest.mkdir("d").unwrap();
        guest.symlink("/etc", "link").unwrap();
        guest.chdir("d").unwrap();
    }
    guest.path_call("fchmodat", "/tmp/d/d", &[0]).unwrap();
    drop(guest);
    assert!(!made[0].exists());
}

#[test]
fn abandoning_removes_it_under_the_guest() {
    let _alone = ALONE.lock();
    let mut guest = Guest::new(Config::default());
    let made = made_by(&mut guest, |guest| {
        guest.write_file("/tmp/mark", "x").unwrap();
    });
    guest.sandbox.abandon();
    assert!(!made[0].exists());
    assert_eq!(guest.open("/tmp/new", 0o101), Err(Errno::ENOENT));
    guest.sandbox.abandon();
    assert_eq!(
        guest.open_at(CWD, "/dev/shm/new", 0o101, 0o600),
        Err(Errno::ENOENT)
    );
}
