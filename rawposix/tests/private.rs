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
use rawposix::{Config, Errno, Private, PrivateOptions};
use rawposix_abi::structs::Statfs64;
use rawposix_memory::GuestPtr;

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

const O_RDWR_CREAT: u32 = 0o102;
const O_TMPFILE_RDWR: u32 = 0o20_200_002;
const AT_SYMLINK_FOLLOW: u32 = 0x400;

/// A sandbox with `/room`, a directory of so many bytes.
fn guest_with_room(size: u64) -> Guest {
    Guest::new(Config {
        private: vec![Private {
            guest: "/room".into(),
            options: PrivateOptions {
                size: Some(size),
                ..PrivateOptions::default()
            },
        }],
        ..Config::default()
    })
}

/// Blocks, and free blocks, of `/room`.
fn room(guest: &mut Guest) -> (u64, u64) {
    let size = u32::try_from(size_of::<Statfs64>()).unwrap();
    let buffer = guest.room(size);
    let path = guest.string("/room");
    guest.call("statfs64", &[path, size, buffer]).unwrap();
    let ptr = GuestPtr::<Statfs64>::new(buffer);
    let stat = guest.thread.memory().read(ptr).unwrap();
    assert_eq!((stat.kind, stat.bsize), (0x0102_1994, 4096));
    (stat.blocks, stat.bfree)
}

#[test]
fn a_directory_with_a_size_is_full_at_some_time() {
    let mut guest = guest_with_room(4 * 4096);
    assert_eq!(room(&mut guest), (4, 4));
    let bytes = guest.room(3 * 4096);
    let fd = guest.open_at(CWD, "/room/a", O_RDWR_CREAT, 0o600).unwrap();
    assert_eq!(guest.call("write", &[fd, bytes, 3 * 4096]), Ok(3 * 4096));
    assert_eq!(room(&mut guest), (4, 1));
    // What is written in part, and what is not at all.
    assert_eq!(guest.call("write", &[fd, bytes, 2 * 4096]), Ok(4096));
    assert_eq!(guest.call("write", &[fd, bytes, 1]), Err(Errno::ENOSPC));
    assert_eq!(guest.call("pwrite64", &[fd, bytes, 100, 50, 0]), Ok(100));
    let other = guest.open_at(CWD, "/room/b", O_RDWR_CREAT, 0o600).unwrap();
    assert_eq!(guest.call("write", &[other, bytes, 1]), Err(Errno::ENOSPC));
    assert_eq!(
        guest.call("ftruncate64", &[other, 1, 0]),
        Err(Errno::ENOSPC)
    );
    assert_eq!(
        guest.call("fallocate", &[other, 0, 0, 0, 1, 0]),
        Err(Errno::ENOSPC)
    );
    // Cutting gives back at once, a removed file when it is closed.
    guest.call("ftruncate64", &[fd, 4096, 0]).unwrap();
    assert_eq!(room(&mut guest), (4, 3));
    assert_eq!(guest.call("write", &[other, bytes, 4096]), Ok(4096));
    guest.unlink("/room/a").unwrap();
    assert_eq!(room(&mut guest), (4, 2));
    guest.close(fd);
    assert_eq!(room(&mut guest), (4, 3));
    // A name that another file takes.
    guest.write_file("/room/c", "text").unwrap();
    guest.rename("/room/c", "/room/b").unwrap();
    assert_eq!(room(&mut guest), (4, 2));
    guest.close(other);
    assert_eq!(room(&mut guest), (4, 3));
}

#[test]
fn a_file_without_a_name_counts_until_it_is_closed() {
    let mut guest = guest_with_room(8192);
    let bytes = guest.bytes(b"text");
    for named in [false, true] {
        let fd = guest.open_at(CWD, "/room", O_TMPFILE_RDWR, 0o600).unwrap();
        assert_eq!(guest.call("write", &[fd, bytes, 4]), Ok(4));
        assert_eq!(room(&mut guest), (2, 1));
        if named {
            let old = guest.string(&format!("/proc/self/fd/{fd}"));
            let new = guest.string("/room/name");
            guest
                .call("linkat", &[CWD, old, CWD, new, AT_SYMLINK_FOLLOW])
                .unwrap();
        }
        guest.close(fd);
        assert_eq!(room(&mut guest), (2, if named { 1 } else { 2 }));
    }
    guest.unlink("/room/name").unwrap();
    assert_eq!(room(&mut guest), (2, 2));
}
