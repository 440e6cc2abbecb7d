//! What a guest cannot do to the host by doing something often, deep, or in a circle.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use common::Guest;
use rawposix::{Config, Control, Entry, Errno, Limit, Private, PrivateOptions, Thread};

const AF_UNIX: u32 = 1;
const SOCK_STREAM: u32 = 1;
const SOCK_DGRAM: u32 = 2;
const O_PATH: u32 = 0o10_000_000;
const O_NOFOLLOW: u32 = 0o400_000;
const SIGCHLD: u32 = 17;

/// A `struct iovec`.
fn iovec(guest: &mut Guest, base: u32, len: u32) -> u32 {
    guest.bytes(&[base.to_le_bytes(), len.to_le_bytes()].concat())
}

/// A pair of connected streams.
fn stream_pair(guest: &mut Guest) -> (u32, u32) {
    let room = guest.room(8);
    guest
        .call("socketpair", &[AF_UNIX, SOCK_STREAM, 0, room])
        .unwrap();
    let bytes = guest.load(room, 8);
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(0), number(4))
}

/// Sends one byte with a descriptor.
fn send_descriptor(guest: &mut Guest, socket: u32, fd: u32) {
    let byte = guest.bytes(b"x");
    let vector = iovec(guest, byte, 1);
    let control: Vec<u8> = [16, 1, 1, fd]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let control = guest.bytes(&control);
    let header: Vec<u8> = [0, 0, vector, 1, control, 16, 0]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let header = guest.bytes(&header);
    assert_eq!(guest.call("sendmsg", &[socket, header, 0]), Ok(1));
}

#[test]
fn descriptors_of_paths_of_descriptors_do_not_nest() {
    for flags in [O_PATH, O_PATH | O_NOFOLLOW] {
        let mut guest = Guest::new(Config::default());
        let mut fd = guest.open("/dev/null", O_PATH).unwrap();
        for round in 0..60_000 {
            let path = format!("/proc/self/fd/{fd}");
            let next = guest.open(&path, flags);
            let next = next.unwrap_or_else(|errno| panic!("round {round}: {errno}"));
            guest.close(fd);
            fd = next;
        }
        let path = format!("/proc/self/fd/{fd}");
        guest.stat(&path).unwrap();
        assert_eq!(guest.readlink(&path).unwrap(), "/dev/null");
        let null = guest.open(&path, 1).unwrap();
        guest.close(null);
        guest.close(fd);
    }
}

#[test]
fn sockets_in_flight_in_sockets_in_flight_end_one_after_the_other() {
    let mut guest = Guest::new(Config::default());
    let mut inner = guest.open("/dev/null", 0).unwrap();
    for _ in 0..1500 {
        let (near, far) = stream_pair(&mut guest);
        send_descriptor(&mut guest, near, inner);
        guest.close(near);
        guest.close(inner);
        inner = far;
    }
    guest.close(inner);
    // All of them are gone: there is room for as many again.
    let null = guest.open("/dev/null", 0).unwrap();
    let (near, far) = stream_pair(&mut guest);
    for _ in 0..4000 {
        send_descriptor(&mut guest, near, null);
        let room = guest.room(16);
        let vector = iovec(&mut guest, room, 1);
        assert_eq!(guest.call("readv", &[far, vector, 1]), Ok(1));
    }
}

#[test]
fn one_call_copies_no_more_than_any_other() {
    const PIECE: u32 = 2 << 20;
    let mut guest = Guest::new(Config::default());
    let pid = guest.call("getpid", &[]).unwrap();
    let vectors: Vec<u8> = (0..1024)
        .flat_map(|_| [0x10_0000_u32, PIECE])
        .flat_map(u32::to_le_bytes)
        .collect();
    let vectors = guest.bytes(&vectors);
    for name in ["process_vm_readv", "process_vm_writev"] {
        let copied = guest.call(name, &[pid, vectors, 1024, vectors, 1024, 0]);
        assert_eq!(copied, Ok(0x7fff_f000), "{name}");
    }
}

/// Forks the guest; gives the child, which the test drives.
fn fork(parent: &mut Thread) -> Result<Thread, i32> {
    let request = match parent.syscall(220, [SIGCHLD, 0, 0, 0, 0, 0]) {
        Control::Clone(request) => request,
        Control::Return(word) => return Err(word),
        other => panic!("{other:?}"),
    };
    assert_eq!(request.entry(), Entry::Here);
    let mut started = None;
    let control = parent.start_child(request, |child| started = Some(child));
    assert!(matches!(control, Control::Return(1..)));
    Ok(started.unwrap())
}

#[test]
fn children_that_nobody_waits_for_count() {
    const RLIMIT_NPROC: u32 = 6;
    let mut guest = Guest::new(Config {
        limits: vec![Limit {
            resource: RLIMIT_NPROC,
            value: 10,
        }],
        ..Config::default()
    });
    for _ in 0..9 {
        let mut child = fork(&mut guest.thread).unwrap();
        let control = child.syscall(94, [0; 6]);
        assert!(matches!(control, Control::Exit(_)));
    }
    let refused = fork(&mut guest.thread).map(|_| ());
    assert_eq!(refused, Err(Errno::EAGAIN.to_word()));
    guest.call("wait4", &[u32::MAX, 0, 0, 0]).unwrap();
    fork(&mut guest.thread).unwrap();
}

#[test]
fn the_way_up_from_deep_directories_ends() {
    let mut guest = Guest::new(Config::default());
    guest.chdir("/tmp").unwrap();
    for _ in 0..1500 {
        guest.mkdir("d").unwrap();
        guest.chdir("d").unwrap();
    }
    guest.stat(&"../".repeat(50)).unwrap();
    let answer = guest.stat(&"../".repeat(1300)).map(|_| ());
    assert_eq!(answer, Err(Errno::ENAMETOOLONG));
    // Names that were walked down need not be asked for.
    guest.stat(&"d/../".repeat(0x300)).map(|_| ()).unwrap_err();
    guest.mkdir("d").unwrap();
    guest.stat(&"d/../".repeat(0x300)).unwrap();
}

#[test]
fn what_is_appended_counts_where_it_is() {
    const APPEND: u32 = 0o2000;
    const RWF_APPEND: u32 = 16;
    let mut guest = Guest::new(Config {
        private: vec![Private {
            guest: "/small".into(),
            options: PrivateOptions {
                size: Some(8192),
                ..PrivateOptions::default()
            },
        }],
        ..Config::default()
    });
    let block = guest.bytes(&[b'x'; 4096]);
    let vector = iovec(&mut guest, block, 4096);
    let plain = guest.open("/small/a", 0o102).unwrap();
    for expected in [Ok(4096), Ok(4096), Err(Errno::ENOSPC)] {
        let written = guest.call("pwritev2", &[plain, vector, 1, 0, 0, RWF_APPEND]);
        assert_eq!(written, expected);
    }
    guest.call("ftruncate64", &[plain, 0, 0, 0]).unwrap();
    let appending = guest.open("/small/a", APPEND | 1).unwrap();
    for expected in [Ok(4096), Ok(4096), Err(Errno::ENOSPC)] {
        let written = guest.call("pwrite64", &[appending, block, 4096, 0, 0, 0]);
        assert_eq!(written, expected);
    }
}

/// Bytes of the host's memory that this process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Asserts that doing something very often takes no memory.
fn takes_nothing(what: &str, guest: &mut Guest, rounds: u32, mut act: impl FnMut(&mut Guest)) {
    const NOISE: usize = 6 << 20;
    for _ in 0..rounds / 20 {
        act(guest);
    }
    let before = resident();
    for _ in 0..rounds {
        act(guest);
    }
    let after = resident();
    assert!(
        after < before + NOISE,
        "{what}: {before} bytes have become {after}"
    );
}

fn bound_datagram_socket(guest: &mut Guest) -> (u32, u32) {
    let socket = guest.call("socket", &[AF_UNIX, SOCK_DGRAM, 0]).unwrap();
    let address = guest.bytes(b"\x01\0\0name");
    guest.call("bind", &[socket, address, 7]).unwrap();
    (socket, address)
}

/// One test, since it looks at the memory of the whole process.
#[test]
fn what_is_over_takes_no_memory() {
    const MSG_DONTWAIT: u32 = 0x40;
    const NOWHERE: u32 = 0x7000_0000;
    let mut guest = Guest::new(Config::default());
    let byte = guest.bytes(b"x");
    let (socket, address) = bound_datagram_socket(&mut guest);
    takes_nothing("lost datagrams", &mut guest, 150_000, |guest| {
        let sent = guest.call("sendto", &[socket, byte, 1, 0, address, 7]);
        assert_eq!(sent, Ok(1));
        let got = guest.call("recvfrom", &[socket, NOWHERE, 1, MSG_DONTWAIT, 0, 0]);
        assert_eq!(got, Err(Errno::EFAULT));
    });
    let vector = iovec(&mut guest, byte, 1);
    takes_nothing("read datagrams", &mut guest, 150_000, |guest| {
        let sent = guest.call("sendto", &[socket, byte, 1, 0, address, 7]);
        assert_eq!(sent, Ok(1));
        let minus_one = u32::MAX;
        let got = guest.call("preadv2", &[socket, vector, 1, minus_one, minus_one, 0]);
        assert_eq!(got, Ok(1));
        assert_eq!(guest.load(byte, 1), b"x");
    });
    let name = guest.string("queue");
    let (creates, polled) = (0o102, guest.room(8));
    let queue = guest.call("mq_open", &[name, creates, 0o600, 0]).unwrap();
    takes_nothing("queues that are polled", &mut guest, 100_000, |guest| {
        let open = guest.call("mq_open", &[name, creates, 0o600, 0]).unwrap();
        let memory = guest.thread.memory();
        let pointer = rawposix_memory::GuestPtr::new(polled);
        memory.write(pointer, &[open, 1]).unwrap();
        let now = guest.bytes(&[0; 16]);
        guest.call("ppoll_time64", &[polled, 1, now, 0, 8]).unwrap();
        guest.close(open);
    });
    guest.close(queue);
    let far: Vec<u8> = [0_u64, 0, 1_000_000, 0]
        .into_iter()
        .flat_map(u64::to_le_bytes)
        .collect();
    let far = guest.bytes(&far);
    let id = guest.room(4);
    takes_nothing("timers that are set again", &mut guest, 200_000, |guest| {
        guest.call("setitimer", &[0, far, 0]).unwrap();
    });
    takes_nothing("timers that are deleted", &mut guest, 200_000, |guest| {
        guest.call("timer_create", &[0, 0, id]).unwrap();
        let bytes = guest.load(id, 4);
        let timer = u32::from_le_bytes(bytes.try_into().unwrap());
        guest.call("timer_settime64", &[timer, 0, far, 0]).unwrap();
        guest.call("timer_delete", &[timer]).unwrap();
    });
    takes_nothing("timers of processes that end", &mut guest, 2000, |guest| {
        let mut child = fork(&mut guest.thread).unwrap();
        let control = child.syscall(103, [0, far, 0, 0, 0, 0]);
        assert!(matches!(control, Control::Return(0)));
        assert!(matches!(child.syscall(94, [0; 6]), Control::Exit(_)));
        drop(child);
        guest.call("wait4", &[u32::MAX, 0, 0, 0]).unwrap();
    });
    let before = resident();
    for _ in 0..60 {
        let mut child = fork(&mut guest.thread).unwrap();
        let place = rawposix_memory::GuestPtr::new(0x10_0000);
        child.memory().write_bytes(place, &[1; 1 << 20]).unwrap();
        assert!(matches!(child.syscall(94, [0; 6]), Control::Exit(_)));
    }
    let after = resident();
    assert!(
        after < before + (20 << 20),
        "zombies: {before} bytes have become {after}"
    );
}

/// A ruleset of landlock(7) for reading files, with as many rules as there can be; says how many.
fn full_ruleset(guest: &mut Guest) -> (u32, u32) {
    const READ_FILE: u64 = 4;
    let attr = guest.bytes(&READ_FILE.to_le_bytes());
    let ruleset = guest
        .call("landlock_create_ruleset", &[attr, 8, 0])
        .unwrap();
    let below = guest.open("/dev/null", O_PATH).unwrap();
    let rule = guest.bytes(&[&READ_FILE.to_le_bytes()[..], &below.to_le_bytes()].concat());
    let mut count = 0;
    loop {
        match guest.call("landlock_add_rule", &[ruleset, 1, rule, 0]) {
            Ok(_) => count += 1,
            Err(errno) => {
                assert_eq!(errno, Errno::ENOMEM);
                guest.call("close", &[below]).unwrap();
                return (ruleset, count);
            }
        }
        assert!(count < 100_000, "no bound");
    }
}

#[test]
fn rules_of_landlock_have_a_bound_and_are_given_back() {
    const PR_SET_NO_NEW_PRIVS: u32 = 38;
    let mut guest = Guest::new(Config::default());
    let (ruleset, most) = full_ruleset(&mut guest);
    guest.call("close", &[ruleset]).unwrap();
    let (ruleset, again) = full_ruleset(&mut guest);
    assert_eq!(again, most);
    // A domain keeps them.
    guest
        .call("prctl", &[PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0])
        .unwrap();
    guest.call("landlock_restrict_self", &[ruleset, 0]).unwrap();
    guest.call("close", &[ruleset]).unwrap();
    assert_eq!(full_ruleset(&mut guest).1, 0);
}
