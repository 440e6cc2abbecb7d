//! Files, descriptors and directories as programs use them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use common::{CWD, Guest, mount};
use rawposix::{Access, Config, Errno};
use rawposix_abi::flags::{fcntl, lock};
use rawposix_abi::structs::{Flock64, Iovec, Pollfd};
use rawposix_memory::GuestPtr;

const O_RDWR: u32 = 2;
const O_CREAT: u32 = 0o100;
const O_EXCL: u32 = 0o200;
const O_APPEND: u32 = 0o2000;
const O_NONBLOCK: u32 = 0o4000;
const O_DIRECTORY: u32 = 0o200_000;
const O_CLOEXEC: u32 = 0o2_000_000;
const O_TMPFILE: u32 = 0o20_200_000;

fn guest() -> (tempfile::TempDir, Guest) {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = Guest::with_mount(dir.path(), "/data");
    guest.chdir("/data").unwrap();
    (dir, guest)
}

fn write(guest: &mut Guest, fd: u32, text: &str) -> common::Answer {
    let bytes = guest.bytes(text.as_bytes());
    guest.call("write", &[fd, bytes, u32::try_from(text.len()).unwrap()])
}

fn seek(guest: &mut Guest, fd: u32, offset: i64, whence: u32) -> Result<i64, Errno> {
    let room = guest.room(8);
    let offset = offset.cast_unsigned();
    let (high, low) = (
        u32::try_from(offset >> 32).unwrap(),
        u32::try_from(offset & 0xffff_ffff).unwrap(),
    );
    guest.call("llseek", &[fd, high, low, room, whence])?;
    Ok(guest.thread.memory().read(GuestPtr::new(room)).unwrap())
}

#[test]
fn descriptors_share_their_description() {
    let (_dir, mut guest) = guest();
    let fd = guest.open("file", O_RDWR | O_CREAT).unwrap();
    let copy = guest.call("dup", &[fd]).unwrap();
    write(&mut guest, fd, "hello").unwrap();
    assert_eq!(seek(&mut guest, copy, 0, 1), Ok(5));
    guest
        .call("fcntl64", &[copy, fcntl::F_SETFL, O_APPEND])
        .unwrap();
    assert_ne!(
        guest.call("fcntl64", &[fd, fcntl::F_GETFL, 0]).unwrap() & O_APPEND,
        0
    );
    guest.call("fcntl64", &[copy, fcntl::F_SETFD, 1]).unwrap();
    assert_eq!(guest.call("fcntl64", &[fd, fcntl::F_GETFD, 0]), Ok(0));
    guest.close(fd);
    assert_eq!(guest.call("fcntl64", &[copy, fcntl::F_GETFD, 0]), Ok(1));
}

#[test]
fn numbers_are_the_lowest_free() {
    let (_dir, mut guest) = guest();
    let fds: Vec<u32> = (0..4)
        .map(|_| guest.open("/dev/null", 0).unwrap())
        .collect();
    assert_eq!(fds, [3, 4, 5, 6]);
    guest.close(4);
    assert_eq!(guest.open("/dev/zero", 0), Ok(4));
    assert_eq!(guest.call("fcntl64", &[3, fcntl::F_DUPFD, 100]), Ok(100));
    assert_eq!(guest.call("dup3", &[3, 3, 0]), Err(Errno::EINVAL));
    assert_eq!(guest.call("dup3", &[99, 5, 0]), Err(Errno::EBADF));
    assert_eq!(guest.call("dup3", &[3, 5000, 0]), Err(Errno::EBADF));
    assert_eq!(guest.call("dup3", &[3, 7, O_CLOEXEC]), Ok(7));
    assert_eq!(guest.call("dup3", &[3, 7, 0o4000]), Err(Errno::EINVAL));
    assert_eq!(guest.call("close_range", &[3, u32::MAX, 0]), Ok(0));
    assert_eq!(guest.list("/proc/self/fd").unwrap(), ["0", "1", "2", "3"]);
}

#[test]
fn descriptors_end_at_the_limit() {
    let (_dir, mut guest) = guest();
    let limit = guest.bytes(&[6_u64.to_le_bytes(), 6_u64.to_le_bytes()].concat());
    guest.call("prlimit64", &[0, 7, limit, 0]).unwrap();
    for _ in 3..6 {
        guest.open("/dev/null", 0).unwrap();
    }
    assert_eq!(guest.open("/dev/null", 0), Err(Errno::EMFILE));
    let more = guest.bytes(&[7_u64.to_le_bytes(), 7_u64.to_le_bytes()].concat());
    assert_eq!(guest.call("prlimit64", &[0, 7, more, 0]), Err(Errno::EPERM));
}

#[test]
fn mask_is_the_process_own() {
    let (dir, mut guest) = guest();
    assert_eq!(guest.call("umask", &[0o077]), Ok(0o022));
    guest
        .open_at(CWD, "private", O_RDWR | O_CREAT, 0o666)
        .unwrap();
    assert_eq!(guest.stat("private").unwrap().mode, 0o100_600);
    guest.path_call("mkdirat", "dir", &[0o777]).unwrap();
    assert_eq!(guest.stat("dir").unwrap().mode, 0o040_700);
    assert!(dir.path().join("dir").is_dir());
}

/// The permissions of a file as the host has them.
fn mode_on_host(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_run_with_nobody_elses_rights() {
    let (dir, mut guest) = guest();
    let file = dir.path().join("file");
    guest
        .open_at(CWD, "file", O_RDWR | O_CREAT, 0o6777)
        .unwrap();
    assert_eq!(guest.stat("file").unwrap().mode, 0o106_755);
    assert_eq!(mode_on_host(&file), 0o755);
    guest.path_call("fchmodat", "file", &[0o6711]).unwrap();
    assert_eq!(guest.stat("file").unwrap().mode, 0o106_711);
    assert_eq!(mode_on_host(&file), 0o711);
    guest.path_call("mknodat", "node", &[0o104_700, 0]).unwrap();
    assert_eq!(guest.stat("node").unwrap().mode, 0o104_700);
    assert_eq!(mode_on_host(&dir.path().join("node")), 0o700);
    guest.mkdir("dir").unwrap();
    guest.path_call("fchmodat", "dir", &[0o3777]).unwrap();
    assert_eq!(guest.stat("dir").unwrap().mode, 0o043_777);
}

#[test]
fn what_root_gives_away_stays_the_host_users() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let owner = fs::metadata(&file).unwrap().uid();
    let mut guest = Guest::new(Config {
        mounts: vec![mount(dir.path(), "/data", Access::ReadWrite)],
        uid: 0,
        gid: 0,
        ..Config::default()
    });
    guest
        .path_call("fchownat", "/data/file", &[5, 6, 0])
        .unwrap();
    let stat = guest.stat("/data/file").unwrap();
    assert_eq!((stat.uid, stat.gid), (5, 6));
    assert_eq!(fs::metadata(&file).unwrap().uid(), owner);
    // Another file in its place is no gift.
    fs::remove_file(&file).unwrap();
    fs::write(&file, "").unwrap();
    assert_eq!(guest.stat("/data/file").unwrap().uid, 0);
}

#[test]
fn files_are_the_users() {
    let (_dir, mut guest) = guest();
    guest.write_file("file", "x").unwrap();
    let stat = guest.stat("file").unwrap();
    assert_eq!((stat.uid, stat.gid), (1000, 1000));
    assert_eq!(
        guest.path_call("fchownat", "file", &[1000, u32::MAX, 0]),
        Ok(0)
    );
    assert_eq!(
        guest.path_call("fchownat", "file", &[0, 0, 0]),
        Err(Errno::EPERM)
    );
}

#[test]
fn opening_refuses_what_linux_refuses() {
    let (_dir, mut guest) = guest();
    guest.write_file("file", "x").unwrap();
    guest.mkdir("dir").unwrap();
    assert_eq!(guest.open("missing", 0), Err(Errno::ENOENT));
    assert_eq!(guest.open("", 0), Err(Errno::ENOENT));
    assert_eq!(guest.open("file", O_CREAT | O_EXCL), Err(Errno::EEXIST));
    assert_eq!(guest.open("dir", O_CREAT | O_EXCL), Err(Errno::EEXIST));
    assert_eq!(guest.open("dir", O_RDWR), Err(Errno::EISDIR));
    assert_eq!(guest.open("dir", O_CREAT), Err(Errno::EISDIR));
    assert_eq!(guest.open("file", O_DIRECTORY), Err(Errno::ENOTDIR));
    assert_eq!(guest.open("file/", 0), Err(Errno::ENOTDIR));
    assert_eq!(guest.open("file/x", 0), Err(Errno::ENOTDIR));
    assert_eq!(guest.open("new/", O_CREAT), Err(Errno::EISDIR));
    assert_eq!(guest.open_at(99, "file", 0, 0), Err(Errno::EBADF));
    let file = guest.open("file", 0).unwrap();
    assert_eq!(guest.open_at(file, "x", 0, 0), Err(Errno::ENOTDIR));
    assert_eq!(guest.call("openat", &[CWD, 16, 0, 0]), Err(Errno::EFAULT));
}

#[test]
fn access_modes_hold() {
    let (_dir, mut guest) = guest();
    let writer = guest.open("file", 1 | O_CREAT).unwrap();
    let room = guest.room(16);
    assert_eq!(guest.call("read", &[writer, room, 16]), Err(Errno::EBADF));
    let reader = guest.open("file", 0).unwrap();
    assert_eq!(write(&mut guest, reader, "x"), Err(Errno::EBADF));
    let dir = guest.open(".", O_DIRECTORY).unwrap();
    assert_eq!(guest.call("read", &[dir, room, 16]), Err(Errno::EISDIR));
    assert_eq!(write(&mut guest, dir, "x"), Err(Errno::EBADF));
}

#[test]
fn vectors_and_positions() {
    let (_dir, mut guest) = guest();
    let fd = guest.open("file", O_RDWR | O_CREAT).unwrap();
    let (one, two) = (guest.bytes(b"hello "), guest.bytes(b"world"));
    let vector = guest.room(16);
    let iov = [Iovec { base: one, len: 6 }, Iovec { base: two, len: 5 }];
    guest
        .thread
        .memory()
        .write_slice(GuestPtr::new(vector), &iov)
        .unwrap();
    assert_eq!(guest.call("writev", &[fd, vector, 2]), Ok(11));
    assert_eq!(guest.call("pwrite64", &[fd, two, 5, 0, 0]), Ok(5));
    assert_eq!(guest.call("pwritev", &[fd, vector, 1, 0x10, 1]), Ok(6));
    assert_eq!(seek(&mut guest, fd, 0, 2), Ok(0x1_0000_0016));
    assert_eq!(seek(&mut guest, fd, -1, 0), Err(Errno::EINVAL));
    assert_eq!(guest.call("ftruncate64", &[fd, 11, 0]), Ok(0));
    assert_eq!(guest.read_file("file").unwrap(), b"world world");
    assert_eq!(
        guest.call("writev", &[fd, vector, u32::MAX]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        guest.call("pread64", &[fd, one, 5, u32::MAX, u32::MAX]),
        Err(Errno::EINVAL)
    );
}

#[test]
fn temporary_file_gets_a_name() {
    let (dir, mut guest) = guest();
    let Ok(fd) = guest.open(".", O_TMPFILE | O_RDWR) else {
        // Not every file system of the host's has such files.
        return;
    };
    write(&mut guest, fd, "text").unwrap();
    let (old, new) = (
        guest.string(&format!("/proc/self/fd/{fd}")),
        guest.string("named"),
    );
    assert_eq!(guest.call("linkat", &[CWD, old, CWD, new, 0x400]), Ok(0));
    assert_eq!(fs::read(dir.path().join("named")).unwrap(), b"text");
}

#[test]
fn names_are_made_moved_and_removed() {
    let (_dir, mut guest) = guest();
    guest.write_file("file", "x").unwrap();
    guest.link("file", "second").unwrap();
    assert_eq!(guest.stat("file").unwrap().nlink, 2);
    guest.symlink("file", "link").unwrap();
    assert_eq!(guest.readlink("link").unwrap(), "file");
    guest.link("link", "dangling").unwrap();
    assert_eq!(guest.readlink("dangling").unwrap(), "file");
    guest.unlink("dangling").unwrap();
    assert_eq!(
        guest.statx(CWD, "link", 0x100).unwrap().mode & 0o170_000,
        0o120_000
    );
    guest.mkdir("dir").unwrap();
    assert_eq!(guest.mkdir("dir"), Err(Errno::EEXIST));
    guest.rename("second", "dir/third").unwrap();
    assert_eq!(
        guest.path_call("unlinkat", "dir", &[0x200]),
        Err(Errno::ENOTEMPTY)
    );
    assert_eq!(guest.unlink("dir"), Err(Errno::EISDIR));
    guest.unlink("dir/third").unwrap();
    guest.path_call("unlinkat", "dir", &[0x200]).unwrap();
    assert_eq!(
        guest.path_call("unlinkat", ".", &[0x200]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        guest.path_call("unlinkat", "file/..", &[0x200]),
        Err(Errno::ENOTDIR)
    );
    assert_eq!(guest.list(".").unwrap(), ["file", "link"]);
}

#[test]
fn cross_mount_moves_are_refused() {
    let (_dir, mut guest) = guest();
    guest.write_file("file", "x").unwrap();
    assert_eq!(guest.rename("file", "/tmp/file"), Err(Errno::EXDEV));
    assert_eq!(guest.link("file", "/tmp/file"), Err(Errno::EXDEV));
    assert_eq!(guest.rename("file", "/file"), Err(Errno::EXDEV));
    assert_eq!(guest.rename("/proc/self", "file"), Err(Errno::EBUSY));
}

#[test]
fn working_directory_follows_its_name() {
    let (_dir, mut guest) = guest();
    guest.mkdir("one").unwrap();
    guest.chdir("one").unwrap();
    assert_eq!(guest.cwd().unwrap(), "/data/one");
    guest.rename("/data/one", "/data/two").unwrap();
    assert_eq!(guest.cwd().unwrap(), "/data/two");
    guest.path_call("unlinkat", "/data/two", &[0x200]).unwrap();
    assert_eq!(guest.cwd(), Err(Errno::ENOENT));
    let room = guest.room(4);
    guest.chdir("/data").unwrap();
    assert_eq!(guest.call("getcwd", &[room, 4]), Err(Errno::ERANGE));
}

#[test]
fn removed_file_stays_open() {
    let (_dir, mut guest) = guest();
    guest.write_file("file", "text").unwrap();
    let fd = guest.open("file", 0).unwrap();
    assert_eq!(
        guest.readlink(&format!("/proc/self/fd/{fd}")).unwrap(),
        "/data/file"
    );
    guest.unlink("file").unwrap();
    assert_eq!(
        guest.readlink(&format!("/proc/self/fd/{fd}")).unwrap(),
        "/data/file (deleted)"
    );
    assert_eq!(
        guest.read_file(&format!("/proc/self/fd/{fd}")).unwrap(),
        b"text"
    );
    assert_eq!(guest.statx(fd, "", 0x1000).unwrap().nlink, 0);
}

#[test]
fn listings_show_mounts() {
    let dir = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("tmp")).unwrap();
    fs::write(dir.path().join("tmp/hidden"), "").unwrap();
    let mut guest = Guest::new(Config {
        root: Some(dir.path().to_path_buf()),
        mounts: vec![mount(data.path(), "/srv/deep/data", Access::ReadOnly)],
        ..Config::default()
    });
    assert_eq!(guest.list("/").unwrap(), ["dev", "proc", "srv", "tmp"]);
    assert_eq!(guest.list("/srv/deep").unwrap(), ["data"]);
    assert_eq!(guest.list("/tmp").unwrap(), [""; 0]);
    assert_eq!(guest.mkdir("/srv/deep/new"), Err(Errno::EROFS));
    assert_eq!(guest.list("/dev").unwrap().len(), 13);
}

#[test]
fn listing_positions_can_be_returned_to() {
    let (_dir, mut guest) = guest();
    for i in 0..20 {
        guest.write_file(&format!("file-{i:02}"), "").unwrap();
    }
    let fd = guest.open(".", O_DIRECTORY).unwrap();
    let room = guest.room(64);
    let mut seen = Vec::new();
    loop {
        let at = seek(&mut guest, fd, 0, 1).unwrap();
        let count = guest.call("getdents64", &[fd, room, 64]).unwrap();
        if count == 0 {
            break;
        }
        seen.push((at, guest.load(room, count)));
    }
    for (at, records) in seen.iter().rev() {
        seek(&mut guest, fd, *at, 0).unwrap();
        if *at != 0 {
            let count = guest.call("getdents64", &[fd, room, 64]).unwrap();
            assert_eq!(&guest.load(room, count), records);
        }
    }
    assert_eq!(guest.call("getdents64", &[fd, room, 8]), Err(Errno::EINVAL));
}

fn lock_at(
    guest: &mut Guest,
    fd: u32,
    cmd: u32,
    kind: u32,
    start: i64,
    len: i64,
) -> Result<Flock64, Errno> {
    let kind = i16::try_from(kind).unwrap();
    let request = Flock64 {
        kind,
        start,
        len,
        ..Flock64::default()
    };
    let ptr = guest.room(32);
    guest
        .thread
        .memory()
        .write(GuestPtr::new(ptr), &request)
        .unwrap();
    guest.call("fcntl64", &[fd, cmd, ptr])?;
    Ok(guest.thread.memory().read(GuestPtr::new(ptr)).unwrap())
}

#[test]
fn record_locks_belong_to_the_process() {
    let (dir, mut guest) = guest();
    let mut other = Guest::with_mount(dir.path(), "/data");
    let one = guest.open("file", O_RDWR | O_CREAT).unwrap();
    let two = guest.open("file", O_RDWR).unwrap();
    let foreign = other.open("/data/file", O_RDWR).unwrap();
    lock_at(&mut guest, one, fcntl::F_SETLK64, lock::F_WRLCK, 0, 10).unwrap();
    // The same process by another description: no conflict, and the same lock.
    lock_at(&mut guest, two, fcntl::F_SETLK64, lock::F_WRLCK, 5, 10).unwrap();
    // Another process.
    let refused = lock_at(&mut other, foreign, fcntl::F_SETLK64, lock::F_RDLCK, 12, 1);
    assert_eq!(refused, Err(Errno::EAGAIN));
    let found = lock_at(&mut other, foreign, fcntl::F_GETLK64, lock::F_RDLCK, 0, 0).unwrap();
    assert_eq!((found.start, found.len), (0, 15));
    lock_at(&mut other, foreign, fcntl::F_SETLK64, lock::F_WRLCK, 15, 1).unwrap();
    // Any close drops them.
    guest.close(two);
    lock_at(&mut other, foreign, fcntl::F_SETLK64, lock::F_WRLCK, 0, 0).unwrap();
    let free = lock_at(&mut other, foreign, fcntl::F_GETLK64, lock::F_WRLCK, 0, 0).unwrap();
    assert_eq!(u32::try_from(free.kind), Ok(lock::F_UNLCK));
}

#[test]
fn record_locks_check_their_arguments() {
    let (_dir, mut guest) = guest();
    guest.write_file("file", "x").unwrap();
    let reader = guest.open("file", 0).unwrap();
    assert_eq!(
        lock_at(&mut guest, reader, fcntl::F_SETLK64, lock::F_WRLCK, 0, 1),
        Err(Errno::EBADF)
    );
    assert_eq!(
        lock_at(&mut guest, reader, fcntl::F_SETLK64, 7, 0, 1),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        lock_at(&mut guest, reader, fcntl::F_SETLK64, lock::F_RDLCK, -1, 1),
        Err(Errno::EINVAL)
    );
    assert!(lock_at(&mut guest, reader, fcntl::F_SETLK64, lock::F_RDLCK, 10, -5).is_ok());
}

#[test]
fn pipes_carry_bytes_and_end() {
    let (_dir, mut guest) = guest();
    let pair = guest.room(8);
    guest.call("pipe2", &[pair, O_NONBLOCK]).unwrap();
    let [read, write_end]: [u32; 2] = guest.thread.memory().read(GuestPtr::new(pair)).unwrap();
    let room = guest.room(16);
    assert_eq!(guest.call("read", &[read, room, 16]), Err(Errno::EAGAIN));
    write(&mut guest, write_end, "abc").unwrap();
    let polls = [
        Pollfd {
            fd: read.cast_signed(),
            events: 1,
            revents: 0,
        },
        Pollfd {
            fd: 77,
            events: 1,
            revents: 0,
        },
        Pollfd {
            fd: -1,
            events: 1,
            revents: 9,
        },
    ];
    let fds = guest.room(24);
    guest
        .thread
        .memory()
        .write_slice(GuestPtr::new(fds), &polls)
        .unwrap();
    assert_eq!(guest.call("ppoll_time64", &[fds, 3, 0, 0, 0]), Ok(2));
    let polled: [Pollfd; 3] = guest.thread.memory().read(GuestPtr::new(fds)).unwrap();
    assert_eq!(polled.map(|p| p.revents), [1, 0x20, 0]);
    assert_eq!(guest.call("read", &[read, room, 16]), Ok(3));
    guest.close(write_end);
    assert_eq!(guest.call("read", &[read, room, 16]), Ok(0));
    assert_eq!(guest.call("pipe2", &[16, 0]), Err(Errno::EFAULT));
    assert_eq!(guest.call("pipe2", &[pair, 1]), Err(Errno::EINVAL));
}

#[test]
fn proc_files_speak_of_the_guest() {
    let (_dir, mut guest) = guest();
    assert_eq!(guest.read_file("/proc/self/cmdline").unwrap(), b"test\0");
    assert_eq!(guest.readlink("/proc/self/exe").unwrap(), "/test");
    let status = String::from_utf8(guest.read_file("/proc/2/status").unwrap()).unwrap();
    assert!(
        status.contains("Uid:\t1000\t1000\t1000\t1000\n"),
        "{status}"
    );
    let maps = String::from_utf8(guest.read_file("/proc/self/maps").unwrap()).unwrap();
    assert!(maps.starts_with("00010000-00400000 rw-p"), "{maps}");
    assert_eq!(guest.open("/proc/self/status", O_RDWR), Err(Errno::EACCES));
    assert_eq!(guest.stat("/proc/self/status").unwrap().size, 0);
    let mounts = String::from_utf8(guest.read_file("/proc/mounts").unwrap()).unwrap();
    assert!(
        mounts.contains(" /data hostfs rw,relatime 0 0\n"),
        "{mounts}"
    );
}

#[test]
fn file_size_limit_ends_in_a_signal() {
    let (_dir, mut guest) = guest();
    let limit = guest.bytes(&[4_u64.to_le_bytes(), 100_u64.to_le_bytes()].concat());
    guest.call("prlimit64", &[0, 1, limit, 0]).unwrap();
    let fd = guest.open("file", O_RDWR | O_CREAT).unwrap();
    assert_eq!(write(&mut guest, fd, "abcdef"), Ok(4));
    let bytes = guest.bytes(b"x");
    let status = guest.end("write", &[fd, bytes, 1]);
    assert_eq!(status.code(), 128 + 25);
}

#[test]
fn an_open_device_is_the_named_one() {
    let (_dir, mut guest) = guest();
    let named = guest.stat("/dev/null").unwrap();
    let fd = guest.open("/dev/null", O_RDWR).unwrap();
    let opened = guest.stat(&format!("/proc/self/fd/{fd}")).unwrap();
    assert_eq!((named.ino, named.dev_minor), (opened.ino, opened.dev_minor));
    assert_eq!(
        guest.readlink(&format!("/proc/self/fd/{fd}")).unwrap(),
        "/dev/null"
    );
    // It is the host's, which belongs to others.
    assert_eq!(guest.call("fchmod", &[fd, 0o600]), Err(Errno::EPERM));
}
