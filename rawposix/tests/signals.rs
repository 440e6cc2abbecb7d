//! Signals as the engine and the guest's C library see them: handlers, what they interrupt, and waiting.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use common::Guest;
use rawposix::{Config, Control, CoreDump, Errno, ExitStatus, Signal};
use rawposix_abi::structs::{Sigaction, Sigframe, Siginfo, StackT, Timespec};
use rawposix_memory::GuestPtr;
use zerocopy::IntoBytes;

const LIND_SIGNAL: i32 = -4096;
const SIGKILL: u32 = 9;
const SIGUSR1: u32 = 10;
const SIGUSR2: u32 = 12;
const SIGALRM: u32 = 14;
const SIGTERM: u32 = 15;
const SIGCHLD: u32 = 17;
const SIGRT: u32 = 40;
const SA_SIGINFO: u32 = 4;
const SA_ONSTACK: u32 = 0x0800_0000;
const SA_RESTART: u32 = 0x1000_0000;
const SA_RESETHAND: u32 = 0x8000_0000;
const BLOCK: u32 = 0;
const SETMASK: u32 = 2;
const STACK_POINTER: u32 = 0x30_0000;
const PID: u32 = 2;

fn guest() -> Guest {
    let mut guest = Guest::new(Config::default());
    guest.thread.bind();
    guest
}

fn handle(guest: &mut Guest, signal: u32, handler: u32, flags: u32, mask: u32) {
    let action = Sigaction {
        handler,
        flags,
        mask: [mask, 0],
    };
    let action = guest.bytes(action.as_bytes());
    guest.call("rt_sigaction", &[signal, action, 0, 8]).unwrap();
}

fn set_mask(guest: &mut Guest, how: u32, mask: u64) {
    let mask = guest.bytes(&mask.to_le_bytes());
    guest.call("rt_sigprocmask", &[how, mask, 0, 8]).unwrap();
}

fn bit(signal: u32) -> u64 {
    1 << (signal - 1)
}

fn returned(control: Control) -> i32 {
    match control {
        Control::Return(word) => word,
        other => panic!("{other:?}"),
    }
}

/// The call is interrupted by a handler; gives the handler's frame and its address.
fn frame(guest: &mut Guest) -> (u32, Sigframe) {
    let address = returned(guest.thread.next_signal(STACK_POINTER)).cast_unsigned();
    assert_ne!(address, 0, "there is no handler");
    let frame = guest.thread.memory().read(GuestPtr::new(address)).unwrap();
    (address, frame)
}

fn interrupted(guest: &mut Guest, name: &str, arguments: &[u32]) -> (u32, Sigframe) {
    assert_eq!(returned(guest.control(name, arguments)), LIND_SIGNAL);
    frame(guest)
}

fn end_handler(guest: &mut Guest, address: u32) -> i32 {
    returned(guest.control("rt_sigreturn", &[address]))
}

fn alarm_soon(guest: &mut Guest) {
    let timer = guest.bytes(&[0_u32, 0, 0, 20_000].map(u32::to_le_bytes).concat());
    guest.call("setitimer", &[0, timer, 0]).unwrap();
}

fn pipe(guest: &mut Guest) -> (u32, u32) {
    let pair = guest.room(8);
    guest.call("pipe2", &[pair, 0]).unwrap();
    let [read, write]: [u32; 2] = guest.thread.memory().read(GuestPtr::new(pair)).unwrap();
    (read, write)
}

#[test]
fn a_handler_runs_before_the_call_that_raised_returns() {
    let mut guest = guest();
    handle(&mut guest, SIGUSR1, 7, SA_SIGINFO, 0);
    let (address, frame) = interrupted(&mut guest, "kill", &[PID, SIGUSR1]);
    assert_eq!((frame.handler, frame.signo, frame.more), (7, SIGUSR1, 0));
    assert_eq!(frame.info.fields[0], PID);
    assert!(address + 356 <= STACK_POINTER - 128 && address % 16 == 0);
    // It is blocked until the handler returns, and its call then has its result.
    assert_eq!(guest.thread.signal_mask().bits(), bit(SIGUSR1));
    assert_eq!(end_handler(&mut guest, address), 0);
    assert_eq!(guest.thread.signal_mask().bits(), 0);
}

#[test]
fn handlers_are_stacked_as_linux_stacks_them() {
    let mut guest = guest();
    set_mask(&mut guest, SETMASK, u64::MAX);
    handle(&mut guest, SIGUSR1, 7, 0, 0);
    handle(&mut guest, SIGUSR2, 8, 0, 0);
    guest.call("kill", &[PID, SIGUSR2]).unwrap();
    guest.call("kill", &[PID, SIGUSR1]).unwrap();
    let none = guest.bytes(&[0; 8]);
    let arguments = [SETMASK, none, 0, 8];
    let (first, outer) = interrupted(&mut guest, "rt_sigprocmask", &arguments);
    assert_eq!((outer.handler, outer.more), (7, 1));
    let second = returned(guest.thread.next_signal(first)).cast_unsigned();
    let inner: Sigframe = guest.thread.memory().read(GuestPtr::new(second)).unwrap();
    assert_eq!((inner.handler, inner.more, inner.interrupted), (8, 0, 0));
    assert!(second + 356 <= first - 128);
    // The inner one goes back to the beginning of the outer one.
    assert_eq!(inner.mask[0], 1 << (SIGUSR1 - 1));
    assert_eq!(end_handler(&mut guest, second), 0);
    assert_eq!(end_handler(&mut guest, first), 0);
    assert_eq!(guest.thread.signal_mask().bits(), 0);
}

#[test]
fn a_blocked_read_is_made_again_or_fails_as_the_action_says() {
    let mut guest = guest();
    let (reader, writer) = pipe(&mut guest);
    let room = guest.room(16);
    for flags in [0, SA_RESTART] {
        handle(&mut guest, SIGALRM, 7, flags, 0);
        alarm_soon(&mut guest);
        let (address, frame) = interrupted(&mut guest, "read", &[reader, room, 1]);
        assert_eq!(frame.restart != 0, flags != 0);
        guest.call("write", &[writer, room, 1]).unwrap();
        let result = end_handler(&mut guest, address);
        if flags == 0 {
            assert_eq!(result, Errno::EINTR.to_word());
            guest.call("read", &[reader, room, 1]).unwrap();
        } else {
            assert_eq!(result, 1);
        }
    }
}

#[test]
fn waits_with_a_limit_are_never_made_again() {
    let mut guest = guest();
    handle(&mut guest, SIGALRM, 7, SA_RESTART, 0);
    alarm_soon(&mut guest);
    let long = Timespec {
        sec: 1000,
        nsec: 0,
        pad: 0,
    };
    let (long, left) = (guest.bytes(long.as_bytes()), guest.room(16));
    let arguments = [1, 0, long, left];
    let (address, _) = interrupted(&mut guest, "clock_nanosleep_time64", &arguments);
    assert_eq!(end_handler(&mut guest, address), Errno::EINTR.to_word());
    let left: Timespec = guest.thread.memory().read(GuestPtr::new(left)).unwrap();
    assert!(left.sec >= 990);
}

#[test]
fn ignored_signals_interrupt_nothing() {
    let mut guest = guest();
    // SIGCHLD is ignored by default; the alarm's action is to ignore it.
    handle(&mut guest, SIGALRM, 1, 0, 0);
    alarm_soon(&mut guest);
    guest.call("kill", &[PID, SIGCHLD]).unwrap();
    let short = Timespec {
        sec: 0,
        nsec: 60_000_000,
        pad: 0,
    };
    let short = guest.bytes(short.as_bytes());
    guest
        .call("clock_nanosleep_time64", &[1, 0, short, 0])
        .unwrap();
}

#[test]
fn real_time_signals_queue_with_their_values() {
    let mut guest = guest();
    set_mask(&mut guest, BLOCK, bit(SIGRT) | bit(SIGUSR1));
    for value in 0..3 {
        let mut info = Siginfo {
            code: -1,
            ..Siginfo::default()
        };
        info.fields[2] = value;
        let info = guest.bytes(info.as_bytes());
        guest.call("rt_sigqueueinfo", &[PID, SIGRT, info]).unwrap();
        guest.call("kill", &[PID, SIGUSR1]).unwrap();
    }
    let set = guest.bytes(&(bit(SIGRT) | bit(SIGUSR1)).to_le_bytes());
    let room = guest.room(128);
    let zero = guest.bytes(&[0; 16]);
    let mut taken = Vec::new();
    while let Ok(signal) = guest.call("rt_sigtimedwait_time64", &[set, room, zero, 8]) {
        let info: Siginfo = guest.thread.memory().read(GuestPtr::new(room)).unwrap();
        taken.push((signal, info.fields[2]));
    }
    assert_eq!(taken, [(SIGUSR1, 0), (SIGRT, 0), (SIGRT, 1), (SIGRT, 2)]);
}

#[test]
fn sigsuspend_has_its_mask_until_the_handler_has_returned() {
    let mut guest = guest();
    set_mask(&mut guest, SETMASK, bit(SIGALRM));
    handle(&mut guest, SIGALRM, 7, 0, 0);
    alarm_soon(&mut guest);
    let open = guest.bytes(&bit(SIGUSR2).to_le_bytes());
    let (address, frame) = interrupted(&mut guest, "rt_sigsuspend", &[open, 8]);
    assert_eq!(
        guest.thread.signal_mask().bits(),
        bit(SIGUSR2) | bit(SIGALRM)
    );
    assert_eq!(u64::from(frame.mask[0]), bit(SIGALRM));
    assert_eq!(end_handler(&mut guest, address), Errno::EINTR.to_word());
    assert_eq!(guest.thread.signal_mask().bits(), bit(SIGALRM));
}

#[test]
fn frames_are_on_the_alternate_stack_where_asked_for() {
    let mut guest = guest();
    let base = guest.room(8192);
    let stack = StackT {
        sp: base,
        flags: 0,
        size: 8192,
    };
    let stack = guest.bytes(stack.as_bytes());
    guest
        .call("sigaltstack", &[stack, 0, STACK_POINTER])
        .unwrap();
    handle(&mut guest, SIGUSR1, 7, SA_ONSTACK | SA_RESETHAND, 0);
    let (address, _) = interrupted(&mut guest, "kill", &[PID, SIGUSR1]);
    assert!((base..base + 8192).contains(&address));
    // It cannot be replaced while it is used.
    let refused = guest.call("sigaltstack", &[stack, 0, address]);
    assert_eq!(refused, Err(Errno::EPERM));
    end_handler(&mut guest, address);
    // The handler is gone, so the next one ends the process.
    let status = guest.end("kill", &[PID, SIGUSR1]);
    let signal = Signal::from_raw(SIGUSR1).unwrap();
    assert_eq!(status, ExitStatus::Signaled(signal, CoreDump::No));
}

#[test]
fn a_stack_without_room_for_a_frame_ends_the_process() {
    let mut guest = guest();
    handle(&mut guest, SIGUSR1, 7, 0, 0);
    assert_eq!(
        returned(guest.control("kill", &[PID, SIGUSR1])),
        LIND_SIGNAL
    );
    match guest.thread.next_signal(0x1_0010) {
        Control::Exit(ExitStatus::Signaled(Signal::SIGSEGV, CoreDump::Yes)) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_caught_ends_the_process_at_once() {
    for signal in [SIGKILL, SIGTERM] {
        let mut guest = guest();
        let status = guest.end("kill", &[PID, signal]);
        let signal = Signal::from_raw(signal).unwrap();
        assert_eq!(status, ExitStatus::Signaled(signal, CoreDump::No));
    }
}

#[test]
fn forged_frames_do_no_harm() {
    let mut guest = guest();
    let mut forged = Sigframe {
        interrupted: 1,
        restart: 1,
        ..Sigframe::default()
    };
    for number in [128, 139, 99_999] {
        forged.number = number;
        let frame = guest.bytes(forged.as_bytes());
        forged.words[0] = frame;
        let frame = guest.bytes(forged.as_bytes());
        let _ = guest.control("rt_sigreturn", &[frame]);
    }
    let status = guest.end("rt_sigreturn", &[0xffff_fff0]);
    assert_eq!(status, ExitStatus::Signaled(Signal::SIGSEGV, CoreDump::Yes));
}
