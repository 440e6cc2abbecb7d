//! Processes without an engine: children are made, driven by hand, and waited for.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use common::Guest;
use rawposix::{Config, Control, CoreDump, Entry, Errno, ExitStatus, Signal, Thread};
use rawposix_memory::GuestPtr;

const CLONE: i32 = 220;
const EXIT_GROUP: i32 = 94;
const GETPPID: i32 = 173;
const SIGCHLD: u32 = 17;
const WNOHANG: u32 = 1;
const CLONE_VM: u32 = 0x100;

/// Forks the guest; gives the child, which the test drives.
fn fork(parent: &mut Thread, flags: u32) -> (i32, Thread) {
    let Control::Clone(request) = parent.syscall(CLONE, [flags, 0, 0, 0, 0, 0]) else {
        panic!("no child was prepared");
    };
    assert_eq!(request.entry(), Entry::Here);
    assert_eq!(request.shares_memory(parent), flags & CLONE_VM != 0);
    let mut started = None;
    let control = parent.start_child(request, |child| started = Some(child));
    let Control::Return(pid) = control else {
        panic!("fork ended in {control:?}");
    };
    (pid, started.unwrap())
}

fn value(control: Control) -> i32 {
    match control {
        Control::Return(word) => word,
        other => panic!("{other:?}"),
    }
}

fn exit(thread: &mut Thread, status: u32) {
    let control = thread.syscall(EXIT_GROUP, [status, 0, 0, 0, 0, 0]);
    assert!(matches!(control, Control::Exit(ExitStatus::Exited(_))));
}

fn wait(guest: &mut Guest, pid: i32, options: u32) -> Result<(u32, u32), Errno> {
    let status = guest.bytes(&[0xee; 4]);
    let pid = guest.call("wait4", &[pid.cast_unsigned(), status, options, 0])?;
    let word = guest
        .thread
        .memory()
        .read(GuestPtr::<u32>::new(status))
        .unwrap();
    Ok((pid, word))
}

#[test]
fn a_child_has_its_own_memory_and_its_parents_descriptors() {
    let mut guest = Guest::new(Config::default());
    let word = guest.bytes(&7_u32.to_le_bytes());
    let pointer = GuestPtr::<u32>::new(word);
    let (pid, mut child) = fork(&mut guest.thread, SIGCHLD);
    child.memory().write(pointer, &8).unwrap();
    assert_eq!(guest.thread.memory().read(pointer), Ok(7));
    assert_eq!(value(child.syscall(GETPPID, [0; 6])), 2);
    assert_eq!(wait(&mut guest, pid, WNOHANG), Ok((0, 0xeeee_eeee)));
    exit(&mut child, 3);
    assert_eq!(wait(&mut guest, -1, 0), Ok((pid.cast_unsigned(), 3 << 8)));
    assert_eq!(wait(&mut guest, -1, 0), Err(Errno::ECHILD));
}

#[test]
fn a_clone_with_the_same_memory_shares_it() {
    let mut guest = Guest::new(Config::default());
    let word = guest.bytes(&7_u32.to_le_bytes());
    let (pid, mut child) = fork(&mut guest.thread, CLONE_VM | SIGCHLD);
    child.memory().write(GuestPtr::new(word), &8_u32).unwrap();
    assert_eq!(
        guest.thread.memory().read(GuestPtr::<u32>::new(word)),
        Ok(8)
    );
    exit(&mut child, 0);
    assert!(wait(&mut guest, pid, 0).is_ok());
}

#[test]
fn orphans_are_adopted_and_reaped_by_the_sandbox() {
    let mut guest = Guest::new(Config::default());
    let (pid, mut child) = fork(&mut guest.thread, SIGCHLD);
    let (_, mut grandchild) = fork(&mut child, SIGCHLD);
    assert_eq!(value(grandchild.syscall(GETPPID, [0; 6])), pid);
    exit(&mut child, 0);
    assert_eq!(value(grandchild.syscall(GETPPID, [0; 6])), 1);
    exit(&mut grandchild, 0);
    assert!(wait(&mut guest, pid, 0).is_ok());
    assert_eq!(wait(&mut guest, -1, 0), Err(Errno::ECHILD));
    let numbers = guest.list("/proc").unwrap();
    let numbers: Vec<_> = numbers
        .iter()
        .filter(|n| n.parse::<i32>().is_ok())
        .collect();
    assert_eq!(numbers, ["1", "2"]);
}

#[test]
fn a_thread_that_the_engine_loses_is_a_killed_process() {
    let mut guest = Guest::new(Config::default());
    let (pid, child) = fork(&mut guest.thread, SIGCHLD);
    drop(child);
    assert_eq!(wait(&mut guest, pid, 0), Ok((pid.cast_unsigned(), 9)));
}

#[test]
fn what_the_engine_cannot_start_was_never_there() {
    let mut guest = Guest::new(Config::default());
    for _ in 0..1000 {
        let Control::Clone(request) = guest.thread.syscall(CLONE, [SIGCHLD, 0, 0, 0, 0, 0]) else {
            panic!("no child was prepared");
        };
        let control = guest.thread.fail_child(request, Errno::EAGAIN);
        assert_eq!(value(control), -11);
    }
    assert_eq!(wait(&mut guest, -1, 0), Err(Errno::ECHILD));
}

#[test]
fn faults_show_in_the_wait_status() {
    let mut guest = Guest::new(Config::default());
    let (pid, mut child) = fork(&mut guest.thread, SIGCHLD);
    let control = child.fault(Signal::SIGSEGV);
    assert!(matches!(
        control,
        Control::Exit(ExitStatus::Signaled(Signal::SIGSEGV, CoreDump::Yes))
    ));
    assert_eq!(wait(&mut guest, pid, 0), Ok((pid.cast_unsigned(), 0x8b)));
}

#[test]
fn limits_of_processes_hold() {
    let mut guest = Guest::new(Config::default());
    let limit = guest.bytes(&[4_u64.to_le_bytes(), 4_u64.to_le_bytes()].concat());
    guest.call("prlimit64", &[0, 6, limit, 0]).unwrap();
    let children: Vec<_> = (0..3).map(|_| fork(&mut guest.thread, SIGCHLD)).collect();
    let control = guest.thread.syscall(CLONE, [SIGCHLD, 0, 0, 0, 0, 0]);
    assert_eq!(value(control), -11);
    for (pid, mut child) in children {
        exit(&mut child, 0);
        assert!(wait(&mut guest, pid, 0).is_ok());
    }
    let (_, mut child) = fork(&mut guest.thread, SIGCHLD);
    exit(&mut child, 0);
}

#[test]
fn impossible_combinations_are_refused() {
    let mut guest = Guest::new(Config::default());
    for (flags, stack) in [
        (0x800, 0),            // CLONE_SIGHAND without CLONE_VM
        (0x1_0000 | 0x100, 0), // CLONE_THREAD without CLONE_SIGHAND
        (0x1000_0000, 0),      // CLONE_NEWUSER
        (0x10_1000, 0),        // CLONE_PIDFD and CLONE_PARENT_SETTID, which have one place
        (100, 0),              // an exit signal that is none
        (SIGCHLD, 0x2_0000),   // a stack, without a function to call on it
    ] {
        let control = guest.thread.syscall(CLONE, [flags, stack, 0, 0, 0, 0]);
        assert_eq!(value(control), -22, "{flags:#x}");
    }
    assert_eq!(wait(&mut guest, -1, 0), Err(Errno::ECHILD));
}
