//! Attempts to leave the sandbox by changing the tree while a path is resolved.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::world::World;
use rawposix::Errno;

const O_DIRECTORY: u32 = 0o200_000;

/// Runs `attack` while another thread of the host keeps changing the tree by `change`.
fn race(rounds: u32, change: impl Fn() + Send + 'static, mut attack: impl FnMut()) {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let racer = std::thread::spawn(move || {
        while !flag.load(Ordering::Relaxed) {
            change();
        }
    });
    for _ in 0..rounds {
        attack();
    }
    stop.store(true, Ordering::Relaxed);
    racer.join().unwrap();
}

#[test]
fn swapping_a_directory_for_a_link_wins_nothing() {
    let world = World::new();
    let root = world.root();
    fs::create_dir(root.join("dir")).unwrap();
    fs::write(root.join("dir/secret"), "decoy").unwrap();
    symlink("../", root.join("spare")).unwrap();
    let mut guest = world.guest();
    let (dir, spare, third) = (root.join("dir"), root.join("spare"), root.join("third"));
    let change = move || {
        let _ = fs::rename(&dir, &third);
        let _ = fs::rename(&spare, &dir);
        let _ = fs::rename(&dir, &spare);
        let _ = fs::rename(&third, &dir);
    };
    race(3000, change, || match guest.read_file("dir/secret") {
        Ok(text) => assert_eq!(text, b"decoy"),
        Err(errno) => assert!(
            matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::EAGAIN),
            "{errno:?}"
        ),
    });
}

#[test]
fn swapping_a_file_for_a_link_wins_nothing() {
    let world = World::new();
    let root = world.root();
    fs::write(root.join("name"), "decoy").unwrap();
    symlink(world.outer().join("secret"), root.join("spare")).unwrap();
    let mut guest = world.guest();
    let (name, spare, third) = (root.join("name"), root.join("spare"), root.join("third"));
    let change = move || {
        let _ = fs::rename(&name, &third);
        let _ = fs::rename(&spare, &name);
        let _ = fs::rename(&name, &spare);
        let _ = fs::rename(&third, &name);
    };
    race(3000, change, || match guest.read_file("name") {
        Ok(text) => assert_eq!(text, b"decoy"),
        Err(errno) => assert!(matches!(errno, Errno::ENOENT | Errno::EAGAIN), "{errno:?}"),
    });
}

#[test]
fn moving_a_directory_during_dot_dot_wins_nothing() {
    let world = World::new();
    let root = world.root();
    fs::create_dir_all(root.join("deep/er")).unwrap();
    let mut guest = world.guest();
    let (deep, out) = (root.join("deep"), world.outer().join("out"));
    let change = move || {
        let _ = fs::rename(&deep, &out);
        let _ = fs::rename(&out, &deep);
    };
    let dir = loop {
        if let Ok(fd) = guest.open("deep/er", O_DIRECTORY) {
            break fd;
        }
    };
    race(3000, change, || {
        match guest.open_at(dir, "../../secret", 0, 0) {
            Ok(_) => panic!("left the sandbox"),
            Err(errno) => assert_eq!(errno, Errno::ENOENT),
        }
    });
}
