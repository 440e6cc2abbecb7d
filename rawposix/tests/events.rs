//! Descriptors that tell of events, and bytes that move without the guest's memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use common::Guest;
use rawposix::Errno;
use rawposix_abi::structs::{EpollEvent, Itimerspec, Timespec};
use rawposix_memory::GuestPtr;

const O_NONBLOCK: u32 = 0o4000;
const ADD: u32 = 1;
const DELETE: u32 = 2;
const MODIFY: u32 = 3;
const IN: u32 = 1;
const OUT: u32 = 4;
const EDGE: u32 = 1 << 31;

fn guest() -> (tempfile::TempDir, Guest) {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = Guest::with_mount(dir.path(), "/data");
    guest.chdir("/data").unwrap();
    (dir, guest)
}

fn pipe(guest: &mut Guest) -> (u32, u32) {
    let pair = guest.room(8);
    guest.call("pipe2", &[pair, O_NONBLOCK]).unwrap();
    let [read, write]: [u32; 2] = guest.thread.memory().read(GuestPtr::new(pair)).unwrap();
    (read, write)
}

fn put(guest: &mut Guest, fd: u32, text: &str) {
    let bytes = guest.bytes(text.as_bytes());
    guest
        .call("write", &[fd, bytes, u32::try_from(text.len()).unwrap()])
        .unwrap();
}

fn control(
    guest: &mut Guest,
    set: u32,
    op: u32,
    fd: u32,
    events: u32,
    data: u64,
) -> common::Answer {
    let event = guest.room(16);
    let value = EpollEvent {
        events,
        data,
        ..EpollEvent::default()
    };
    guest
        .thread
        .memory()
        .write(GuestPtr::new(event), &value)
        .unwrap();
    guest.call("epoll_ctl", &[set, op, fd, event])
}

/// The events that are there now.
fn ready(guest: &mut Guest, set: u32) -> Vec<(u32, u64)> {
    let room = guest.room(64);
    let count = guest.call("epoll_pwait", &[set, room, 4, 0, 0, 0]).unwrap();
    let events: [EpollEvent; 4] = guest.thread.memory().read(GuestPtr::new(room)).unwrap();
    events[..count as usize]
        .iter()
        .map(|event| (event.events, event.data))
        .collect()
}

#[test]
fn epoll_tells_what_is_ready() {
    let (_dir, mut guest) = guest();
    let set = guest.call("epoll_create1", &[0]).unwrap();
    let (read, write) = pipe(&mut guest);
    control(&mut guest, set, ADD, read, IN, 0x1234_5678_9abc).unwrap();
    control(&mut guest, set, ADD, write, OUT, 7).unwrap();
    assert_eq!(ready(&mut guest, set), [(OUT, 7)]);
    put(&mut guest, write, "x");
    control(&mut guest, set, DELETE, write, 0, 0).unwrap();
    assert_eq!(ready(&mut guest, set), [(IN, 0x1234_5678_9abc)]);
    assert_eq!(ready(&mut guest, set).len(), 1);
    control(&mut guest, set, MODIFY, read, IN | EDGE, 9).unwrap();
    assert_eq!(ready(&mut guest, set), [(IN, 9)]);
    assert_eq!(ready(&mut guest, set), []);
    guest.close(read);
    assert_eq!(ready(&mut guest, set), []);
}

#[test]
fn epoll_refuses_what_linux_refuses() {
    let (_dir, mut guest) = guest();
    let set = guest.call("epoll_create1", &[0]).unwrap();
    guest.write_file("file", "x").unwrap();
    let file = guest.open("file", 0).unwrap();
    let dir = guest.open(".", 0o200_000).unwrap();
    let (read, _) = pipe(&mut guest);
    assert_eq!(
        control(&mut guest, set, ADD, file, IN, 0),
        Err(Errno::EPERM)
    );
    assert_eq!(control(&mut guest, set, ADD, dir, IN, 0), Err(Errno::EPERM));
    assert_eq!(
        control(&mut guest, set, ADD, set, IN, 0),
        Err(Errno::EINVAL)
    );
    assert_eq!(control(&mut guest, set, ADD, 99, IN, 0), Err(Errno::EBADF));
    assert_eq!(
        control(&mut guest, file, ADD, read, IN, 0),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        control(&mut guest, set, MODIFY, read, IN, 0),
        Err(Errno::ENOENT)
    );
    control(&mut guest, set, ADD, read, IN, 0).unwrap();
    assert_eq!(
        control(&mut guest, set, ADD, read, IN, 0),
        Err(Errno::EEXIST)
    );
    assert_eq!(
        guest.call("epoll_pwait", &[set, 0x2_0000, 0, 0, 0, 0]),
        Err(Errno::EINVAL)
    );
    assert_eq!(guest.call("epoll_create1", &[1]), Err(Errno::EINVAL));
}

#[test]
fn timer_descriptor_counts() {
    let (_dir, mut guest) = guest();
    let timer = guest.call("timerfd_create", &[1, O_NONBLOCK]).unwrap();
    let room = guest.room(32);
    assert_eq!(guest.call("read", &[timer, room, 8]), Err(Errno::EAGAIN));
    let value = Timespec {
        nsec: 1,
        ..Timespec::default()
    };
    let spec = Itimerspec {
        value,
        ..Itimerspec::default()
    };
    guest
        .thread
        .memory()
        .write(GuestPtr::new(room), &spec)
        .unwrap();
    guest
        .call("timerfd_settime64", &[timer, 0, room, 0])
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(guest.call("read", &[timer, room, 8]), Ok(8));
    assert_eq!(guest.load(room, 8), 1_u64.to_le_bytes());
    assert_eq!(guest.call("timerfd_create", &[8, 0]), Err(Errno::EPERM));
    assert_eq!(guest.call("timerfd_create", &[77, 0]), Err(Errno::EINVAL));
    assert_eq!(
        guest.call("timerfd_settime64", &[0, 0, room, 0]),
        Err(Errno::EINVAL)
    );
}

#[test]
fn bytes_are_spliced() {
    let (_dir, mut guest) = guest();
    let (read, write) = pipe(&mut guest);
    let (read_two, write_two) = pipe(&mut guest);
    put(&mut guest, write, "hello world");
    assert_eq!(guest.call("tee", &[read, write_two, 5, 0]), Ok(5));
    let file = guest.open("file", 0o102).unwrap();
    assert_eq!(guest.call("splice", &[read, 0, file, 0, 100, 0]), Ok(11));
    assert_eq!(guest.read_file("file").unwrap(), b"hello world");
    let at = guest.bytes(&6_i64.to_le_bytes());
    assert_eq!(guest.call("splice", &[file, at, write_two, 0, 5, 0]), Ok(5));
    assert_eq!(guest.load(at, 8), 11_i64.to_le_bytes());
    let room = guest.room(32);
    assert_eq!(guest.call("read", &[read_two, room, 32]), Ok(10));
    assert_eq!(guest.load(room, 10), b"helloworld");
    assert_eq!(
        guest.call("splice", &[file, 0, file, 0, 5, 0]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        guest.call("tee", &[file, write_two, 5, 0]),
        Err(Errno::EINVAL)
    );
}

#[test]
fn changes_are_watched() {
    let (_dir, mut guest) = guest();
    let queue = guest.call("inotify_init1", &[O_NONBLOCK]).unwrap();
    let path = guest.string("/data");
    let watch = guest
        .call("inotify_add_watch", &[queue, path, 0x100])
        .unwrap();
    guest.write_file("new", "x").unwrap();
    let room = guest.room(256);
    let count = guest.call("read", &[queue, room, 256]).unwrap();
    let event = guest.load(room, count);
    assert_eq!(event[..4], watch.to_le_bytes());
    assert!(event[16..].starts_with(b"new\0"));
    guest.call("inotify_rm_watch", &[queue, watch]).unwrap();
    let proc = guest.string("/proc/self");
    assert_eq!(
        guest.call("inotify_add_watch", &[queue, proc, 0x100]),
        Err(Errno::EACCES)
    );
    let missing = guest.string("../missing");
    assert_eq!(
        guest.call("inotify_add_watch", &[queue, missing, 0x100]),
        Err(Errno::ENOENT)
    );
    assert_eq!(
        guest.call("inotify_add_watch", &[queue, path, 0]),
        Err(Errno::EINVAL)
    );
}
