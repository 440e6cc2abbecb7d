//! Whatever a guest does with names, descriptors and links, nothing outside its root changes or is reached.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use common::world::World;
use common::{CWD, Guest};
use proptest::prelude::*;
use rawposix_memory::GuestPtr;

/// Names that lead up, out, around and into the links that the test lays out.
const PATHS: [&str; 24] = [
    ".",
    "..",
    "/",
    "a",
    "a/b",
    "a/b/c",
    "file",
    "/file",
    "../secret",
    "../../secret",
    "up",
    "up/secret",
    "out",
    "out/secret",
    "hole",
    "new",
    "new/x",
    "a/new",
    "/proc/self/cwd",
    "/proc/self/root/..",
    "/proc/self/fd/3",
    "/proc/self/fd/4/..",
    "/tmp/../..",
    "../outer/dir/inner",
];

/// Calls with the kinds of their arguments.
const CALLS: [(&str, &[Kind]); 30] = [
    (
        "openat",
        &[Kind::Dir, Kind::Path, Kind::OpenFlags, Kind::Mode],
    ),
    (
        "openat",
        &[Kind::Dir, Kind::Path, Kind::OpenFlags, Kind::Mode],
    ),
    (
        "openat",
        &[Kind::Cwd, Kind::Path, Kind::Directory, Kind::Zero],
    ),
    (
        "openat",
        &[Kind::Cwd, Kind::Path, Kind::PathOnly, Kind::Zero],
    ),
    ("close", &[Kind::Fd]),
    ("dup3", &[Kind::Fd, Kind::Fd, Kind::Zero]),
    ("write", &[Kind::Fd, Kind::Buffer, Kind::Size]),
    ("read", &[Kind::Fd, Kind::Buffer, Kind::Size]),
    ("getdents64", &[Kind::Fd, Kind::Buffer, Kind::Size]),
    ("ftruncate64", &[Kind::Fd, Kind::Size, Kind::Zero]),
    ("truncate64", &[Kind::Path, Kind::Size, Kind::Zero]),
    ("chdir", &[Kind::Path]),
    ("fchdir", &[Kind::Fd]),
    ("mkdirat", &[Kind::Dir, Kind::Path, Kind::Mode]),
    ("mknodat", &[Kind::Dir, Kind::Path, Kind::Mode, Kind::Zero]),
    ("unlinkat", &[Kind::Dir, Kind::Path, Kind::Zero]),
    ("unlinkat", &[Kind::Dir, Kind::Path, Kind::RemoveDir]),
    ("symlinkat", &[Kind::Path, Kind::Dir, Kind::Path]),
    (
        "linkat",
        &[
            Kind::Dir,
            Kind::Path,
            Kind::Dir,
            Kind::Path,
            Kind::LinkFlags,
        ],
    ),
    (
        "renameat2",
        &[
            Kind::Dir,
            Kind::Path,
            Kind::Dir,
            Kind::Path,
            Kind::RenameFlags,
        ],
    ),
    (
        "readlinkat",
        &[Kind::Dir, Kind::Path, Kind::Buffer, Kind::Size],
    ),
    ("fchmod", &[Kind::Fd, Kind::Mode]),
    ("fchmodat", &[Kind::Dir, Kind::Path, Kind::Mode]),
    (
        "fchownat",
        &[Kind::Dir, Kind::Path, Kind::User, Kind::User, Kind::Zero],
    ),
    (
        "utimensat_time64",
        &[Kind::Dir, Kind::Path, Kind::Zero, Kind::Zero],
    ),
    ("faccessat", &[Kind::Dir, Kind::Path, Kind::Zero]),
    (
        "statx",
        &[Kind::Dir, Kind::Path, Kind::Zero, Kind::Mask, Kind::Buffer],
    ),
    ("getcwd", &[Kind::Buffer, Kind::Size]),
    (
        "setxattr",
        &[
            Kind::Path,
            Kind::Attribute,
            Kind::Buffer,
            Kind::Size,
            Kind::Zero,
        ],
    ),
    ("statfs64", &[Kind::Path, Kind::Size, Kind::Buffer]),
];

/// `O_NONBLOCK`
const NONBLOCK: u32 = 0o4000;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Dir,
    Cwd,
    Fd,
    Path,
    OpenFlags,
    Directory,
    PathOnly,
    Mode,
    Zero,
    Buffer,
    Size,
    RemoveDir,
    LinkFlags,
    RenameFlags,
    User,
    Mask,
    Attribute,
}

/// The word for an argument, chosen by `pick`.
fn word(guest: &mut Guest, kind: Kind, pick: u32) -> u32 {
    let among = |words: &[u32]| words[pick as usize % words.len()];
    match kind {
        Kind::Dir => among(&[CWD, CWD, 3, 4, 5, 6]),
        Kind::Cwd => CWD,
        Kind::Fd => 3 + pick % 5,
        Kind::Path => guest.string(PATHS[pick as usize % PATHS.len()]),
        // Never waiting for the other end of a FIFO.
        Kind::OpenFlags => {
            NONBLOCK
                | among(&[
                    0,
                    1,
                    2,
                    0o101,
                    0o102,
                    0o1102,
                    0o301,
                    0o400_000,
                    0o200_000,
                    0o20_200_002,
                    0o10_000_000,
                    0o10_400_000,
                ])
        }
        Kind::Directory => 0o200_000,
        Kind::PathOnly => 0o10_000_000,
        Kind::Mode => among(&[0o777, 0o644, 0o700, 0o100_644, 0o010_644]),
        Kind::Zero => 0,
        Kind::Buffer => 0x20_1000,
        Kind::Size => among(&[0, 1, 88, 256, 4096]),
        Kind::RemoveDir => 0x200,
        Kind::LinkFlags => among(&[0, 0x400, 0x1000]),
        Kind::RenameFlags => among(&[0, 0, 1, 2]),
        Kind::User => among(&[1000, u32::MAX]),
        Kind::Mask => 0xfff,
        Kind::Attribute => guest.string("user.test"),
    }
}

/// All that there is outside: names, kinds, modes, links, times of change, contents.
fn fingerprint(dir: &Path, skip: &Path, text: &mut String) {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    for path in names {
        let stat = fs::symlink_metadata(&path).unwrap();
        // The root's own time of change is the guest's to make.
        let changed = if path == skip {
            (0, 0)
        } else {
            (stat.ctime(), stat.ctime_nsec())
        };
        text.push_str(&format!(
            "{} {:o} {} {} {changed:?}\n",
            path.display(),
            stat.mode() & 0o170_000,
            stat.size() * u64::from(stat.is_file()),
            u64::from(path != skip) * stat.nlink()
        ));
        if path != skip && stat.is_dir() {
            fingerprint(&path, skip, text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_outside_changes(
        calls in proptest::collection::vec((0..CALLS.len(), proptest::array::uniform5(0..1000_u32)), 1..120),
    ) {
        let world = World::new();
        let root = world.root();
        fs::create_dir_all(world.outer().join("outer/dir")).unwrap();
        fs::write(world.outer().join("outer/dir/inner"), "text outside").unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink(world.outer(), root.join("out")).unwrap();
        symlink("../planted", root.join("hole")).unwrap();
        let mut before = String::new();
        fingerprint(&world.outer(), &root, &mut before);
        let mut guest = world.guest();
        for (index, picks) in calls {
            let (name, kinds) = CALLS[index];
            let words: Vec<u32> = kinds.iter().zip(picks).map(|(kind, pick)| word(&mut guest, *kind, pick)).collect();
            let _ = guest.call(name, &words);
        }
        // Nor was the secret's text ever read into a buffer.
        let buffer: [u8; 4096] = guest.thread.memory().read(GuestPtr::new(0x20_1000)).unwrap();
        prop_assert!(!buffer.windows(12).any(|text| text == b"text outside"));
        drop(guest);
        let mut after = String::new();
        fingerprint(&world.outer(), &root, &mut after);
        prop_assert_eq!(before, after);
    }
}
