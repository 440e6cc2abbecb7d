//! Record locks without an engine: what taking one must not change.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use common::Guest;
use rawposix::{Config, Errno};
use rawposix_abi::structs::Flock64;
use rawposix_memory::GuestPtr;
use zerocopy::IntoBytes;

const F_GETLK64: u32 = 12;
const F_SETLK64: u32 = 13;
const F_OFD_SETLK: u32 = 37;
const READ: i16 = 0;
const WRITE: i16 = 1;
const NONE: i16 = 2;

fn lock(guest: &mut Guest, fd: u32, command: u32, kind: i16) -> common::Answer {
    let request = Flock64 {
        kind,
        ..Flock64::default()
    };
    let room = guest.bytes(request.as_bytes());
    guest.call("fcntl64", &[fd, command, room])?;
    let found: Flock64 = guest.thread.memory().read(GuestPtr::new(room)).unwrap();
    Ok(u32::try_from(found.kind).unwrap())
}

#[test]
fn a_locked_pipe_has_no_more_ends_than_before() {
    let mut guest = Guest::new(Config::default());
    let ends = guest.room(8);
    guest.call("pipe2", &[ends, 0]).unwrap();
    let [read, write]: [u32; 2] = guest.thread.memory().read(GuestPtr::new(ends)).unwrap();
    assert_eq!(lock(&mut guest, read, F_SETLK64, READ), Ok(0));
    assert_eq!(lock(&mut guest, read, F_SETLK64, WRITE), Err(Errno::EBADF));
    guest.close(write);
    let room = guest.room(16);
    assert_eq!(guest.call("read", &[read, room, 1]), Ok(0));
}

#[test]
fn one_process_is_not_in_its_own_way_but_its_descriptions_are() {
    let mut guest = Guest::new(Config::default());
    let reader = guest.open("/tmp/file", 0o100).unwrap();
    let writer = guest.open("/tmp/file", 1).unwrap();
    let both = guest.open("/tmp/file", 2).unwrap();
    assert_eq!(lock(&mut guest, reader, F_SETLK64, READ), Ok(0));
    // A lock for reading becomes one for writing by another descriptor.
    assert_eq!(lock(&mut guest, writer, F_SETLK64, WRITE), Ok(1));
    assert_eq!(lock(&mut guest, both, F_GETLK64, WRITE), Ok(2));
    assert_eq!(
        lock(&mut guest, both, F_OFD_SETLK, READ),
        Err(Errno::EAGAIN)
    );
    // Any close gives up the process's lock.
    guest.close(reader);
    assert_eq!(lock(&mut guest, both, F_OFD_SETLK, WRITE), Ok(1));
    assert_eq!(lock(&mut guest, both, F_GETLK64, READ), Ok(1));
    assert_eq!(
        lock(&mut guest, writer, F_SETLK64, WRITE),
        Err(Errno::EAGAIN)
    );
    assert_eq!(lock(&mut guest, both, F_OFD_SETLK, NONE), Ok(2));
    assert_eq!(lock(&mut guest, writer, F_SETLK64, WRITE), Ok(1));
}
