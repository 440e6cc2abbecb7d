//! Hostile arguments: every system call answers with a value or an errno, whatever it is given.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use common::Guest;
use proptest::prelude::*;
use rawposix::{Config, Control, Errno};
use rawposix_abi::{SYSCALLS, Support};

/// Words that hit edges: null, the last mapped byte, unmapped memory, the end of the 32-bit space, sign changes.
const EDGES: [u32; 18] = [
    0,
    1,
    2,
    3,
    7,
    0xff,
    0x1000,
    0xffff,
    0x1_0000,
    0x3f_fff0,
    0x3f_ffff,
    0x40_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xfffd_ffff,
    0xffff_f000,
    0xffff_ff9c,
    0xffff_ffff,
];

/// Calls that end the process, wait, or flush the host's disks, as they should.
fn is_excepted(name: &str) -> bool {
    matches!(
        name,
        "exit"
            | "exit_group"
            | "sync"
            | "syncfs"
            | "ppoll_time64"
            | "pselect6_time64"
            | "clock_nanosleep_time64"
            | "futex_time64"
            | "futex_waitv"
            | "io_pgetevents_time64"
            | "msgrcv"
            | "rt_sigsuspend"
            | "rt_sigtimedwait_time64"
            | "semop"
    )
}

/// Calls that make or take what a later call may wait for.
fn may_make_others_wait(name: &str) -> bool {
    matches!(
        name,
        "eventfd2"
            | "pipe2"
            | "timerfd_create"
            | "inotify_init1"
            | "epoll_create1"
            | "signalfd4"
            | "socket"
            | "socketpair"
            | "msgget"
            | "semget"
            | "mq_open"
            | "flock"
            | "fcntl64"
    )
}

/// Whether a call may stop the guest, which nobody continues: it sends SIGSTOP, SIGTSTP, SIGTTIN or SIGTTOU.
fn may_stop(name: &str, words: &[u32; 6]) -> bool {
    let sends =
        name.contains("kill") || name.contains("sigqueueinfo") || name.contains("send_signal");
    sends && words.iter().any(|word| (19..=22).contains(word))
}

/// A guest whose standard streams are closed: nothing it writes reaches the test's own.
fn guest() -> Guest {
    let mut guest = Guest::new(Config::default());
    for fd in 0..3 {
        let _ = guest.call("close", &[fd]);
    }
    guest
}

fn check(guest: &mut Guest, number: i32, words: [u32; 6]) -> bool {
    let control = match guest.thread.syscall(number, words) {
        // There is no engine here, so nothing becomes of these.
        Control::Clone(request) => guest.thread.fail_child(request, Errno::EAGAIN),
        Control::Exec(request) => guest.thread.fail_exec(*request, Errno::ENOEXEC),
        control => control,
    };
    match control {
        Control::Return(word) => {
            if let Ok(raw) = u16::try_from(-i64::from(word)) {
                assert!(
                    raw == 0 || raw > 4095 || Errno::from_raw(raw).unwrap().name().is_some(),
                    "{number}: {word}"
                );
            }
            true
        }
        _ => false,
    }
}

#[test]
fn unknown_numbers_are_enosys() {
    let mut guest = guest();
    for number in (-5..600).chain([i32::MIN, i32::MAX, 1 << 20]) {
        if SYSCALLS.iter().all(|call| i32::from(call.number) != number) {
            let control = guest.thread.syscall(number, [0; 6]);
            assert!(
                matches!(control, Control::Return(-38)),
                "{number}: {control:?}"
            );
        }
    }
}

#[test]
fn absent_calls_are_enosys_and_denied_ones_eperm() {
    let mut guest = guest();
    for call in SYSCALLS {
        let expected = match call.support {
            Support::Absent(_) => Errno::ENOSYS,
            Support::Denied(_) => Errno::EPERM,
            Support::Full | Support::Partial(_) => continue,
        };
        let answer = guest.call(call.name, &[0; 6]);
        assert_eq!(answer, Err(expected), "{}", call.name);
    }
}

#[test]
fn same_edge_everywhere() {
    let mut guest = guest();
    for call in SYSCALLS.iter().filter(|call| !is_excepted(call.name)) {
        for edge in EDGES {
            if !check(&mut guest, i32::from(call.number), [edge; 6]) {
                guest = self::guest();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Sequences of any calls with words from the edges, small numbers and anything.
    #[test]
    fn any_sequence(calls in proptest::collection::vec((0..SYSCALLS.len(), proptest::array::uniform6(word())), 1..60)) {
        let mut guest = guest();
        for (index, words) in calls {
            let call = &SYSCALLS[index];
            let name = call.name;
            let may_wait = is_excepted(name) || may_make_others_wait(name) || may_stop(name, &words);
            if !may_wait && !check(&mut guest, i32::from(call.number), words) {
                break;
            }
        }
    }
}

fn word() -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => proptest::sample::select(&EDGES[..]),
        3 => 0..64_u32,
        1 => 0x1_0000..0x40_0000_u32,
        1 => any::<u32>(),
    ]
}
