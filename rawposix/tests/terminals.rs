//! Pseudo-terminals and sessions, without a program at them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use common::Guest;
use rawposix::{Config, Errno};

const RDWR: u32 = 2;
const NOCTTY: u32 = 0o400;
const NONBLOCK: u32 = 0o4000;
const CLOEXEC: u32 = 0o2_000_000;

const TCGETS: u32 = 0x5401;
const TIOCSCTTY: u32 = 0x540e;
const TIOCGPGRP: u32 = 0x540f;
const TIOCSPGRP: u32 = 0x5410;
const TIOCSTI: u32 = 0x5412;
const TIOCNOTTY: u32 = 0x5422;
const TIOCGETD: u32 = 0x5424;
const TIOCGSID: u32 = 0x5429;
const TIOCGPTN: u32 = 0x8004_5430;
const TIOCSPTLCK: u32 = 0x4004_5431;
const TIOCGPTPEER: u32 = 0x5441;

struct Pair {
    master: u32,
    number: u32,
}

impl Pair {
    /// A pseudo-terminal whose name can be opened.
    fn new(guest: &mut Guest) -> Self {
        let master = guest.open("/dev/ptmx", RDWR | NOCTTY).unwrap();
        let zero = guest.bytes(&[0; 4]);
        guest.call("ioctl", &[master, TIOCSPTLCK, zero]).unwrap();
        let number = value(guest, master, TIOCGPTN).unwrap();
        Self { master, number }
    }

    fn name(&self) -> String {
        format!("/dev/pts/{}", self.number)
    }
}

/// What an ioctl writes: one word.
fn value(guest: &mut Guest, fd: u32, command: u32) -> Result<u32, Errno> {
    let room = guest.room(4);
    guest.call("ioctl", &[fd, command, room])?;
    let bytes = guest.load(room, 4);
    Ok(u32::from_le_bytes(bytes.try_into().unwrap()))
}

fn write(guest: &mut Guest, fd: u32, text: &str) -> Result<u32, Errno> {
    let bytes = guest.string(text);
    let length = u32::try_from(text.len()).unwrap();
    guest.call("write", &[fd, bytes, length])
}

#[test]
fn numbers_are_the_lowest_free_ones_and_go_with_both_ends() {
    let mut guest = Guest::new(Config::default());
    let first = Pair::new(&mut guest);
    let second = Pair::new(&mut guest);
    assert_eq!(second.number, first.number + 1);
    let names = guest.list("/dev/pts").unwrap();
    for pair in [&first, &second] {
        assert!(names.contains(&pair.number.to_string()), "{names:?}");
    }
    let line = guest.open(&first.name(), RDWR | NOCTTY).unwrap();
    guest.close(first.master);
    assert_eq!(guest.open(&first.name(), RDWR), Err(Errno::ENOENT));
    assert_eq!(
        guest.call("ioctl", &[line, TCGETS, 0x2_0000]),
        Err(Errno::EIO)
    );
    assert_eq!(Pair::new(&mut guest).number, second.number + 1);
    guest.close(line);
    assert_eq!(Pair::new(&mut guest).number, first.number);
}

#[test]
fn names_say_what_they_are() {
    let mut guest = Guest::new(Config::default());
    let pair = Pair::new(&mut guest);
    let line = guest.open(&pair.name(), RDWR | NOCTTY).unwrap();
    let link = format!("/proc/self/fd/{line}");
    assert_eq!(guest.readlink(&link).unwrap(), pair.name());
    assert_eq!(
        guest
            .readlink(&format!("/proc/self/fd/{}", pair.master))
            .unwrap(),
        "/dev/ptmx"
    );
    let (name, file) = (
        guest.stat(&pair.name()).unwrap(),
        guest.stat(&link).unwrap(),
    );
    assert_eq!((name.ino, name.dev_minor), (file.ino, file.dev_minor));
    assert_eq!((name.rdev_major, name.rdev_minor), (136, pair.number));
    assert_eq!((name.mode, name.uid), (0o020_620, 1000));
    guest.call("fchmod", &[line, 0o600]).unwrap();
    assert_eq!(guest.stat(&pair.name()).unwrap().mode, 0o020_600);
    assert_eq!(
        guest.call("fchown", &[line, 1, u32::MAX]),
        Err(Errno::EPERM)
    );
    guest.call("fchown", &[line, 1000, 1000]).unwrap();
    let master = guest.stat("/dev/ptmx").unwrap();
    assert_eq!((master.rdev_major, master.rdev_minor), (5, 2));
    // Opened anew it is another one.
    let again = guest
        .open(&format!("/proc/self/fd/{}", pair.master), RDWR)
        .unwrap();
    assert_ne!(value(&mut guest, again, TIOCGPTN).unwrap(), pair.number);
    for path in [
        "/dev/pts/4294967295",
        "/dev/pts/00",
        "/dev/pts/-1",
        "/dev/pts/99",
    ] {
        assert_eq!(guest.open(path, RDWR), Err(Errno::ENOENT), "{path}");
    }
}

#[test]
fn a_session_has_one_terminal() {
    let mut guest = Guest::new(Config::default());
    guest.thread.bind();
    let pair = Pair::new(&mut guest);
    let other = Pair::new(&mut guest);
    let outer = guest.open("/dev/tty", RDWR).is_ok();
    if outer {
        // The tests run at a terminal, which is the session's.
        return;
    }
    // Opening alone does not make it the first program's.
    let line = guest.open(&pair.name(), RDWR).unwrap();
    assert_eq!(value(&mut guest, line, TIOCGSID), Err(Errno::ENOTTY));
    guest.call("ioctl", &[line, TIOCSCTTY, 0]).unwrap();
    assert_eq!(value(&mut guest, line, TIOCGSID), Ok(2));
    assert_eq!(value(&mut guest, pair.master, TIOCGPGRP), Ok(2));
    let tty = guest.open("/dev/tty", RDWR | CLOEXEC).unwrap();
    assert_eq!(value(&mut guest, tty, TIOCGSID), Ok(2));
    assert_eq!(value(&mut guest, tty, TIOCGETD), Ok(0));
    assert_eq!(guest.stat("/dev/tty").unwrap().rdev_major, 5);
    guest.call("ioctl", &[line, TIOCSCTTY, 0]).unwrap();
    let second = guest.open(&other.name(), RDWR).unwrap();
    assert_eq!(value(&mut guest, second, TIOCGSID), Err(Errno::ENOTTY));
    assert_eq!(
        guest.call("ioctl", &[second, TIOCSCTTY, 1]),
        Err(Errno::EPERM)
    );
    let group = guest.bytes(&999_u32.to_le_bytes());
    assert_eq!(
        guest.call("ioctl", &[line, TIOCSPGRP, group]),
        Err(Errno::ESRCH)
    );
    assert_eq!(
        guest.call("ioctl", &[line, TIOCSTI, group]),
        Err(Errno::EIO)
    );
    let ignore = guest.bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    guest.call("rt_sigaction", &[1, ignore, 0, 8]).unwrap();
    guest.call("ioctl", &[line, TIOCNOTTY, 0]).unwrap();
    assert_eq!(
        guest.call("ioctl", &[line, TIOCNOTTY, 0]),
        Err(Errno::ENOTTY)
    );
    assert_eq!(guest.open("/dev/tty", RDWR), Err(Errno::ENXIO));
    let peer = guest
        .call("ioctl", &[other.master, TIOCGPTPEER, RDWR | CLOEXEC])
        .unwrap();
    guest.call("ioctl", &[peer, TIOCSCTTY, 0]).unwrap();
    assert_eq!(value(&mut guest, peer, TIOCGSID), Ok(2));
}

#[test]
fn bytes_pass_as_the_settings_say() {
    let mut guest = Guest::new(Config::default());
    guest.thread.bind();
    let pair = Pair::new(&mut guest);
    let line = guest.open(&pair.name(), RDWR | NOCTTY | NONBLOCK).unwrap();
    assert_eq!(write(&mut guest, pair.master, "keys\n"), Ok(5));
    let room = guest.room(16);
    let read = loop {
        match guest.call("read", &[line, room, 16]) {
            Err(Errno::EAGAIN) => std::thread::yield_now(),
            read => break read,
        }
    };
    assert_eq!(read, Ok(5));
    assert_eq!(guest.load(room, 5), b"keys\n");
    assert_eq!(
        guest.call("write", &[pair.master, 8, 10]),
        Err(Errno::EFAULT)
    );
    // More than the line discipline takes is refused or cut off, never waited for.
    guest.call("fcntl64", &[pair.master, 4, NONBLOCK]).unwrap();
    let many = guest.room(100_000);
    let refused = loop {
        if let Err(errno) = guest.call("write", &[pair.master, many, 100_000]) {
            break errno;
        }
    };
    assert_eq!(refused, Errno::EAGAIN);
}
